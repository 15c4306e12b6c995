import type { Stack } from '../../tests/stack/start-stack.ts';
import type { Bench, BenchInput, Row } from '../harness/bench.ts';
import { type Sample, sampleCounters, settledAfter, wholeSpan } from '../harness/sample-counters.ts';
import { startBenchStack } from '../harness/start-bench-stack.ts';

/**
 * How much of a limit that nobody tells the workers use, and how often they are refused: grants and revokes that share one budget, from the
 * default start, counted by the sandbox after a warm-up. Limits of up to 50 a second are accounts of one stack, faster ones have their own.
 */
const LATENCY_MS = 150;
const MAX_IN_FLIGHT = 200;
const HALF_S = 60;
const DOUBLE_S = 90;
/** A controller learning a limit goes over it for a while. */
const SPARE_ROWS = 1.3;

interface Case {
  readonly id: string;
  readonly shape: string;
  readonly rate: number;
  /** The sandbox's limit for so many a second. */
  limit(rate: number): object;
}

const SHAPES: Readonly<Record<string, (rate: number) => object>> = {
  bucket: (rate) => ({ bucket: { rate, burst: Math.max(2, Math.round(rate / 5)) } }),
  'bucket-5s': (rate) => ({ bucket: { rate, burst: 5 * rate } }),
  second: (rate) => ({ perSecond: rate }),
  minute: (rate) => ({ perMinute: 60 * rate }),
  concurrency: (rate) => ({ concurrency: Math.max(1, Math.round((rate * LATENCY_MS) / 1000)) }),
};

const RATES = [5, 50, 500];
/** Other shapes than the small bucket are reported at this rate. */
const SHAPES_RATE = 50;

export const bench: Bench = {
  summary: 'share of a limit used, share of 429s, time to settle',
  options: {
    rate: { type: 'string' },
    workers: { type: 'string' },
    shape: { type: 'string' },
    seconds: { type: 'string' },
    warm: { type: 'string' },
    settle: { type: 'boolean' },
  },
  smoke: { rate: '50', workers: '1', shape: 'bucket', warm: '5', seconds: '5', settle: false },
  maxMs: () => 45 * 60_000,
  async run(input) {
    const { flags } = input;
    const wanted = casesOf(flags);
    for (const workers of flags.workers ? [Number(flags.workers)] : [1, 4]) {
      const light = wanted.filter(({ rate }) => rate <= 50);
      const groups = [light, ...wanted.filter(({ rate }) => rate > 50).map((each) => [each])];
      for (const group of groups) {
        if (group.length > 0) for (const row of await runGroup(input, workers, group)) input.report(row);
      }
    }
  },
};

function casesOf(flags: BenchInput['flags']): Case[] {
  const rates = flags.rate ? String(flags.rate).split(',').map(Number) : RATES;
  const shapes = flags.shape ? String(flags.shape).split(',') : Object.keys(SHAPES);
  return shapes.flatMap((shape) => {
    const limit = SHAPES[shape];
    if (!limit) throw new RangeError(`no limiter ${shape}: there are ${Object.keys(SHAPES).join(', ')}`);
    const at = shape === 'bucket' || flags.rate ? rates : [SHAPES_RATE];
    return at.map((rate) => ({ id: `${shape}-${rate}`, shape, rate, limit }));
  });
}

async function runGroup(input: BenchInput, workers: number, cases: readonly Case[]): Promise<Row[]> {
  const { flags, tell, signal } = input;
  const warmS = Number(flags.warm ?? 60);
  const measuredS = Number(flags.seconds ?? 60);
  const settle = flags.settle !== false && (flags.settle === true || cases.some(({ shape }) => shape === 'bucket'));
  const seconds = warmS + measuredS + (settle ? HALF_S + DOUBLE_S : 0);
  tell(`${workers} workers, ${cases.map(({ id }) => id).join(', ')}: ${seconds} s`);
  const stack = await startBenchStack({
    workers,
    seed: input.seed,
    accounts: cases.map(({ id }, i) => ({
      id,
      scripts: [scriptOf(i)],
      config: { maxInFlight: MAX_IN_FLIGHT, sharedBudget: true },
    })),
  });
  const limits = (factor: number) => ({
    limitByAccount: Object.fromEntries(cases.map(({ id, limit, rate }) => [id, limit(rate * factor)])),
  });
  const configure = (options: object) => stack.sandbox('POST', '/__sandbox/configure', options);
  try {
    await configure({ latency: { fixed: LATENCY_MS }, ...limits(1) });
    for (const [i, { rate }] of cases.entries())
      await submit(stack, scriptOf(i), Math.ceil(rate * seconds * SPARE_ROWS));
    const ids = cases.map(({ id }) => id);
    const sample = (s: number) => sampleCounters(stack, ids, s, signal);
    await sample(warmS);
    const steady = await sample(measuredS);
    if (!settle) return cases.map((each) => rowOf(workers, each, steady, null));
    await configure(limits(0.5));
    const halved = await sample(HALF_S);
    await configure(limits(1));
    const doubled = await sample(DOUBLE_S);
    return cases.map((each) => rowOf(workers, each, steady, { halved, doubled }));
  } finally {
    await stack.stop();
  }
}

type Samples = Awaited<ReturnType<typeof sampleCounters>>;

function rowOf(
  workers: number,
  { id, shape, rate }: Case,
  steady: Samples,
  after: { readonly halved: Samples; readonly doubled: Samples } | null,
): Row {
  const of = (samples: Samples): readonly Sample[] => samples.get(id) ?? [];
  const span = wholeSpan(of(steady));
  return {
    limiter: shape,
    'limit/s': rate,
    workers,
    'used %': percent(span.perSecond / rate),
    '429 %': percent(span.refused),
    'halved, s': after && settledAfter(of(after.halved), rate / 2),
    'halved 429 %': after && percent(wholeSpan(of(after.halved)).refused),
    'doubled, s': after && settledAfter(of(after.doubled), rate),
    'doubled used %': after && percent(wholeSpan(of(after.doubled)).perSecond / rate),
  };
}

function percent(share: number): number {
  return Math.round(share * 10_000) / 100;
}

function scriptOf(index: number): string {
  return `PUB;${index.toString(16).padStart(32, '0')}`;
}

/** Half grants of strangers, half revokes of members: each costs one request. */
async function submit(stack: Stack, script: string, rows: number): Promise<void> {
  const names = (kind: string) => Array.from({ length: Math.ceil(rows / 2) }, (_, i) => `${kind}_${i}`);
  const members = names('member').map((username) => ({ username, expiration: null }));
  await stack.sandbox('POST', '/__sandbox/members', { pine_id: script, members });
  const send = async (action: string, users: readonly string[]) => {
    const raw = `username,duration\n${users.map((user) => `${user},${action === 'grant' ? '1L' : ''}\n`).join('')}`;
    const path = `/v1/batches?action=${action}&script=${encodeURIComponent(script)}`;
    const { status, body } = await stack.call('POST', path, { headers: { 'content-type': 'text/csv' }, raw });
    if (status !== 202 || body.accepted !== users.length) throw new Error(`a batch was not accepted: ${status}`);
  };
  await send('grant', names('stranger'));
  await send('revoke', names('member'));
}
