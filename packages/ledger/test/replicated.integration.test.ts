import { closeRedis, openRedis, type Redis, redisReady } from '@pinegate/runtime';
import { randomNamespace, startTestRedis, type TestRedis, waitFor } from '@pinegate/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { NotReplicatedError, openLedger } from '../src/index.ts';
import { extend, grant, NONE, PERMITS, SCRIPT, TIMES, until } from './open-test-ledger.ts';

type Work = { version: number };

let master: TestRedis;
let replica: TestRedis;
let redis: Redis;
let own: Redis;

beforeAll(async () => {
  master = await startTestRedis();
  replica = await startTestRedis({
    config: { replicaof: `127.0.0.1 ${master.port}`, 'repl-ping-replica-period': '1' },
  });
  redis = openRedis(master.url, 'shared');
  own = openRedis(master.url, 'producer');
  // Or a call would fail otherwise than is looked for, whenever this process stands still for a second.
  Object.assign(own.options, { commandTimeout: 60_000, socketTimeout: 60_000 });
  await Promise.all([redisReady(redis), redisReady(own)]);
  await replicaIsThere();
});
afterAll(async () => {
  await Promise.all([closeRedis(redis), closeRedis(own)]);
  await replica.close();
  await master.close();
});

const replicaIsThere = () =>
  waitFor(async () => (await redis.info('replication')).includes('state=online'), { what: 'the replica' });

function openAccount() {
  const account = openLedger({ redis, ns: randomNamespace(), times: TIMES, replication: { redis: own, count: 1 } });
  const ledger = account.account('a');
  const submit = (id: string, operation = grant('zoe', 2_000_000_000_000)) =>
    ledger.submit({ id, kind: 'single', lane: 'single', turn: 'k', source: 'k' }, 0, [
      { row: 1, script: SCRIPT, operation },
    ]);
  /** Sends it again while the replica, on a busy machine, takes longer than the ledger waits. */
  const accept = async (...operation: Parameters<typeof submit>) => {
    for (;;) {
      try {
        return await submit(...operation);
      } catch (error) {
        if (!(error instanceof NotReplicatedError)) throw error;
      }
    }
  };
  return { ledger, submit, accept };
}

test('what is accepted is on the replica by then, many calls at once', async () => {
  const { accept } = openAccount();
  const answers = await Promise.all(Array.from({ length: 500 }, (_, n) => accept(`o${n}`, grant(`user${n}`, 2e12))));
  expect(answers.every(({ status }) => status === 'taken')).toBe(true);
});

test('without its replica nothing is accepted for sure, an armed extension is not sent, and a settle stands; with it all goes on', async () => {
  const { ledger, submit, accept } = openAccount();
  await accept('first', grant('kim', 2e12));
  const [known] = (await ledger.claim(SCRIPT, ['kim'], 't0', PERMITS)).keys;
  const common = { script: SCRIPT, name: 'kim', token: 't0', carried: (known as Work).version, sent: true } as const;
  await ledger.settle([{ ...common, result: 'applied', target: until(2e12), outcome: 'granted' }]);
  await accept('more', extend('kim', 1));
  await accept('ext', extend('eve', 1));
  replica.freeze();
  await expect(submit('o1', grant('max', 2e12))).rejects.toBeInstanceOf(NotReplicatedError);
  // An absolute write needs no acknowledgement: after a fail-over it would be written again.
  const [plain] = (await ledger.claim(SCRIPT, ['max'], 't1', PERMITS)).keys;
  expect(plain?.need).toBe('write');
  await expect(ledger.claim(SCRIPT, ['kim'], 't2', PERMITS)).rejects.toBeInstanceOf(NotReplicatedError);
  // Nobody holds it: whoever is next may try at once.
  await expect(ledger.claim(SCRIPT, ['kim'], 't4', PERMITS)).rejects.toBeInstanceOf(NotReplicatedError);
  const lost = { script: SCRIPT, name: 'max', token: 't1', carried: (plain as Work).version, sent: true } as const;
  const [settled] = await ledger.settle([{ ...lost, result: 'uncertain', code: 'X', retryMs: 0, spend: true }]);
  expect(settled?.need).toBe('wait');
  const [base] = (await ledger.claim(SCRIPT, ['eve'], 't3', PERMITS)).keys;
  expect(base?.need).toBe('base');
  const fixed = ledger.fix(SCRIPT, 'eve', 't3', (base as Work).version, NONE, Date.now());
  await expect(fixed).rejects.toBeInstanceOf(NotReplicatedError);
  const [again] = (await ledger.claim(SCRIPT, ['eve'], 't5', { ...PERMITS, grant: 0 })).keys;
  expect(again).toMatchObject({ need: 'permit', budget: 'grant' });
  for (const record of await ledger.readAccess(SCRIPT, ['kim', 'eve']))
    expect(record).toMatchObject({ lapses: 0, tries: 0, window: 0 });
  replica.thaw();
  await replicaIsThere();
  expect((await accept('o1', grant('max', 2e12))).status).toBe('taken');
  expect((await ledger.readParts(['o1']))[0]?.total).toBe(1);
});
