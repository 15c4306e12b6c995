import { expect, test } from 'vitest';
import { buildKeySecret, hashSecret, parseKeyId, sameHash } from '../src/directory/key-secret.ts';

test('an API key names its id and is never the same twice', () => {
  const keys = Array.from({ length: 1_000 }, buildKeySecret);
  for (const { id, secret } of keys) {
    expect(secret).toMatch(/^pg_[0-9a-f]{12}_[A-Za-z0-9_-]{43}$/);
    expect(parseKeyId(secret)).toBe(id);
  }
  expect(new Set(keys.map(({ secret }) => secret)).size).toBe(1_000);
  expect(new Set(keys.map(({ id }) => id)).size).toBe(1_000);
});

test.each([
  '',
  'admin',
  'pg_admin_',
  `pg_0123456789ab_${'a'.repeat(42)}`,
  `pg_0123456789ab_${'a'.repeat(44)}`,
  `pg_0123456789ab_${'a'.repeat(43)}\n`,
  `PG_0123456789ab_${'a'.repeat(43)}`,
  `pg_0123456789AB_${'a'.repeat(43)}`,
])('%j has not the form of one', (text) => {
  expect(parseKeyId(text)).toBeNull();
});

test('hashes are compared whole, whatever their length', () => {
  expect(sameHash(hashSecret('a'), hashSecret('a'))).toBe(true);
  expect(sameHash(hashSecret('a'), hashSecret('b'))).toBe(false);
  expect(sameHash(hashSecret('a'), hashSecret('a').subarray(1))).toBe(false);
  expect(sameHash(hashSecret('a'), Buffer.alloc(0))).toBe(false);
});
