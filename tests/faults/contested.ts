import type { RecordedChange } from '@pinegate/testing';
import type { Asked } from '../stack/recorder.ts';
import { SCRIPT } from './open-fault-stack.ts';
import { seededRandom } from './seed.ts';

const JUNE = Date.UTC(2031, 5, 1);
const DAY_MS = 86_400_000;
const EXTENSIONS = ['1D', '1W', '1M', '1Y'];

/** Rows of grants, extensions and revokes over a few users, so that each has several; the seed and `name` decide which. */
export function contestedRows(name: string, users: number, rows: number): Asked[] {
  const random = seededRandom(name);
  const below = (n: number) => Math.floor(random() * n);
  function change(): RecordedChange {
    const kind = random();
    if (kind < 0.35) return { kind: 'extend', duration: EXTENSIONS[below(EXTENSIONS.length)] ?? '1D' };
    if (kind < 0.7) return { kind: 'set', expiresAt: random() < 0.1 ? null : JUNE + below(1000) * DAY_MS };
    if (kind < 0.75) return { kind: 'set-for', duration: '30D' };
    return { kind: 'revoke' };
  }
  return Array.from({ length: rows }, () => ({
    script: SCRIPT,
    username: `${name}_${below(users)}`,
    change: change(),
  }));
}

/** One grant for each of so many users. */
export function grants(name: string, users: number): Asked[] {
  return Array.from({ length: users }, (_, i) => {
    return { script: SCRIPT, username: `${name}_${i}`, change: { kind: 'set', expiresAt: JUNE + i * DAY_MS } };
  });
}
