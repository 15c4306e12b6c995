import { randomBytes } from 'node:crypto';

/** A namespace for Redis keys that no other test has, as `t-3f9c0a1b2d4e`. */
export function randomNamespace(): string {
  return `t-${randomBytes(6).toString('hex')}`;
}
