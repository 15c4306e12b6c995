import type { Operation } from '@pinegate/access';
import type { PartRef, SubmitRow } from '../../src/index.ts';
import type { State } from '../law.ts';
import { START } from '../simulated-clock.ts';
import type { Task } from './event-loop.ts';
import type { Queue } from './queue.ts';
import { DAY, HORIZON, SCRIPT, UNIT } from './scale.ts';
import type { User } from './upstream.ts';
import { FAILED } from './worker.ts';
import type { World } from './world-parts.ts';

const DURATIONS = [
  { amount: 7, unit: 'D' },
  { amount: 1, unit: 'M' },
  { amount: 3, unit: 'M' },
  { amount: 31, unit: 'D' },
  { amount: 1, unit: 'Y' },
] as const;

function randomOperation({ loop, users, switches }: World): Operation {
  const user = users.get(loop.pick([...users.keys()])) as User;
  const username = loop.random() < 0.5 ? user.spelling : user.spelling.toLowerCase();
  const grant = { action: 'grant', script: 'PUB;0', username } as const;
  const x = loop.random();
  if (x < 0.4) return { ...grant, until: { kind: 'extend', duration: loop.pick(DURATIONS) } };
  if (x < 0.65) return { action: 'revoke', script: 'PUB;0', username };
  if (x < 0.73) return { ...grant, until: { kind: 'lifetime' } };
  if (x < 0.8) return { ...grant, until: { kind: 'duration', duration: loop.pick(DURATIONS) } };
  const soon = switches.expiredListed && loop.random() < 0.3;
  const expiresAt = soon ? loop.now() + (60 + loop.int(300)) * UNIT : START + (100 + 50 * loop.int(3)) * DAY;
  return { ...grant, until: { kind: 'date', expiresAt } };
}

/** One part: chunks in order, each sent until it is taken, some sent once more; then perhaps a cancel or a redrive. */
export async function* client(world: World, queue: Queue, id: string): Task {
  const { loop, checker } = world;
  const single = loop.random() < 0.4;
  const ref: PartRef = {
    id,
    kind: single ? 'single' : 'batch',
    lane: single ? 'single' : 'bulk',
    turn: loop.pick(['k1', id]),
    source: 'k1',
  };
  const chunks: SubmitRow[][] = [];
  let row = 0;
  for (let n = single ? 1 : 1 + loop.int(4); n > 0; n -= 1) {
    chunks.push(
      Array.from({ length: single ? 1 : 1 + loop.int(3) }, () => {
        row += 1 + (single ? 0 : loop.int(2));
        return { row, script: SCRIPT, operation: randomOperation(world) };
      }),
    );
  }
  if (single) for (const r of chunks[0] ?? []) Object.assign(r, { row: 1 });
  yield loop.int(HORIZON * 0.8);

  const lastOf = (i: number) => chunks[i]?.at(-1)?.row ?? 0;
  const sendChunk = (i: number) => queue.over(() => checker.submit(ref, lastOf(i - 1), chunks[i] as SubmitRow[]));
  for (let i = 0; i < chunks.length; ) {
    const answer = yield* sendChunk(i);
    yield loop.int(40) * UNIT;
    if (answer === FAILED) continue;
    if (answer.status === 'cancelled') return;
    if (answer.status === 'gap') {
      i = chunks.findIndex((_, n) => lastOf(n) > answer.watermark);
      continue;
    }
    queue.ringAll(answer.bells);
    if (loop.random() < 0.25) {
      const again = yield* sendChunk(loop.int(i + 1));
      if (again !== FAILED && again.status === 'taken') queue.ringAll(again.bells);
    }
    i += 1;
  }

  if (loop.random() < 0.3) {
    yield loop.int(80) * UNIT;
    yield* queue.over(() => checker.cancel(id));
    for (let n = loop.int(3); n > 0; n -= 1) yield* queue.over(() => checker.cancelSome());
  }
  for (let n = loop.int(3); n > 0; n -= 1) {
    yield loop.int(250) * UNIT;
    const answer = yield* queue.over(() => checker.redrive(id));
    if (answer !== FAILED) queue.ringAll(answer.bells);
  }
}

/** Complete lists, page by page, while work goes on. */
export async function* refresher({ loop, ledger, checker, upstream, users, chaos }: World): Task {
  for (let n = 0; chaos.on; n += 1) {
    yield (100 + loop.int(250)) * UNIT;
    const since = loop.now();
    const seen = new Map<string, State>();
    for (const name of checker.names)
      loop.at(since + loop.int(4) * UNIT, () => void seen.set(name, upstream.listed(name)));
    yield 5 * UNIT;
    await checker.plain('refreshPage', () => ledger.refreshes.page(SCRIPT, `r${n}`, since, true, []));
    for (const [name, state] of seen) {
      if (state === 'n') continue;
      yield loop.int(4) * UNIT;
      const member = { username: users.get(name)?.spelling ?? name, expiresAt: state === 'l' ? null : state };
      await checker.plain(`refreshPage ${name} ${state}`, () =>
        ledger.refreshes.page(SCRIPT, `r${n}`, since, true, [member]),
      );
    }
    yield loop.int(4) * UNIT;
    await checker.plain('refreshAbsent', () => ledger.refreshes.absent(SCRIPT, `r${n}`, since, true, 0));
  }
}
