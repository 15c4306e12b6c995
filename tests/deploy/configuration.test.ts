import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { environmentNames } from './environment-names.ts';

const TEXT = readFileSync(new URL('../../docs/configuration.md', import.meta.url), 'utf8');

/** Variables named in the first column of the tables below a heading. */
function namedUnder(heading: string): string[] {
  const section = TEXT.split(/^## /m).find((part) => part.startsWith(`${heading}\n`)) ?? '';
  const cells = section.split('\n').flatMap((line) => (line.startsWith('| `') ? (line.split('|')[1] ?? '') : []));
  return cells.flatMap((cell) => [...cell.matchAll(/`([A-Z][A-Z0-9_]+)`/g)].map(([, name]) => name ?? ''));
}

test.each(['api', 'worker', 'dashboard'])('docs/configuration.md names what the %s reads, and nothing else', (app) => {
  const read = [...environmentNames(app)].filter((name) => !name.endsWith('_FILE') || name === 'TRADINGVIEW_CA_FILE');
  expect([...namedUnder('All apps'), ...namedUnder(app)].sort()).toEqual(read.sort());
});

test('docs/configuration.md marks each secret, that is what may come as a file', () => {
  const secrets = ['api', 'worker', 'dashboard'].flatMap((app) =>
    [...environmentNames(app)].filter((name) => name.endsWith('_FILE') && name !== 'TRADINGVIEW_CA_FILE'),
  );
  const marked = [...TEXT.matchAll(/`([A-Z][A-Z0-9_]+)` \\\*/g)].map(([, name]) => `${name}_FILE`);
  expect([...new Set(marked)].sort()).toEqual([...new Set(secrets)].sort());
});
