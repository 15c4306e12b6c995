// node scripts/audit-dependencies.mjs: pnpm audit of what runs in production. Where the registry has no audit to ask, it says so and passes.
import { spawnSync } from 'node:child_process';

const found = spawnSync('pnpm', ['audit', '--prod', '--audit-level', 'high', '--json'], {
  encoding: 'utf8',
  timeout: 60_000,
});
const report = parse(found.stdout);
if (report?.metadata?.vulnerabilities === undefined) {
  const why = (found.error?.message ?? found.stderr ?? '').trim().split('\n')[0] || 'no report';
  process.stdout.write(`pnpm audit: skipped, the registry's audit does not answer (${why})\n`);
} else {
  const { high = 0, critical = 0 } = report.metadata.vulnerabilities;
  process.stdout.write(`pnpm audit: ${high} high, ${critical} critical\n`);
  for (const { severity, module_name: name, title, url } of Object.values(report.advisories ?? {})) {
    process.stdout.write(`  ${severity} ${name}: ${title} ${url}\n`);
  }
  if (high + critical > 0) process.exitCode = 1;
}

/** @param {string} text */
function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
