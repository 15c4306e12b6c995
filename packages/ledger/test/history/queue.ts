import { LANES, type Lane } from '@pinegate/access';
import { START } from '../simulated-clock.ts';
import type { Task } from './event-loop.ts';
import { DEADLINE, LEASE, LOCK, SCRIPT, UNIT } from './scale.ts';
import { createWorkerTasks, FAILED, type Worker } from './worker.ts';
import type { World } from './world-parts.ts';

interface Job {
  readonly id: string;
  readonly lane: Lane;
  active: { worker: Worker; lock: number } | null;
}

export type Queue = ReturnType<typeof createQueue>;

/** A queue of bare bells and the workers that hear them, over a bad network. */
export function createQueue(world: World) {
  const { loop, ledger, checker, chaos, dropped } = world;
  const jobs = new Map<string, Job>();
  const waiting: Job[] = [];
  const workers: Worker[] = [];
  let ids = 0;

  async function* over<T>(run: () => Promise<T>): Task<T | typeof FAILED> {
    const fault = chaos.on ? loop.random() : 1;
    let delay = loop.int(3) * UNIT;
    if (fault < 0.02) {
      yield delay;
      return FAILED;
    }
    let answer: T | typeof FAILED = FAILED;
    const execute = async () => {
      answer = await run();
    };
    loop.at(loop.now() + delay, execute);
    if (fault < 0.04) {
      yield delay + 1;
      return FAILED;
    }
    if (fault < 0.07) {
      delay += loop.int(6) * UNIT;
      loop.at(loop.now() + delay, execute);
    }
    yield delay + 1 + loop.int(2) * UNIT;
    return answer;
  }

  const { chunkTask } = createWorkerTasks({
    ...world,
    unit: UNIT,
    deadline: DEADLINE,
    lease: LEASE,
    script: SCRIPT,
    over,
    take: (lane, job) => checker.plain(`take ${lane} ${job}`, () => ledger.take(lane, job)),
    close: (lane, job, chunk) => checker.plain(`close ${lane} ${job} ${chunk}`, () => ledger.close(lane, job, chunk)),
  });

  async function* serve(worker: Worker): Task {
    for (;;) {
      const job = waiting.shift();
      if (job && jobs.has(job.id)) {
        const run = { worker, lock: loop.now() + LOCK };
        job.active = run;
        const finish = () => {
          if (job.active === run) jobs.delete(job.id);
        };
        loop.spawn(chunkTask(worker, job.lane, job.id, finish), worker);
      }
      yield (1 + loop.int(8)) * UNIT;
    }
  }

  function hire(slot: number) {
    const worker: Worker = { id: `w${slot}-${++ids}`, dead: false, frozenUntil: 0, thawedAt: -1 };
    workers[slot] = worker;
    loop.spawn(serve(worker), worker);
  }
  for (let slot = 0, n = loop.pick([3, 5]); slot < n; slot += 1) hire(slot);

  function ring(lane: Lane, reliable = false) {
    if (!reliable && chaos.on && loop.random() < 0.12) return;
    const job: Job = { id: `j${++ids}`, lane, active: null };
    jobs.set(job.id, job);
    waiting.splice(loop.int(waiting.length + 1), 0, job);
    if (loop.random() < 0.1) ring(lane, true);
  }

  function ringAll(bells: Partial<Record<Lane, number>>) {
    for (const lane of LANES) for (let n = bells[lane] ?? 0; n > 0; n -= 1) ring(lane);
  }

  async function sweep() {
    if (!dropped.has('R23')) {
      const { bells } = await checker.plain('sweepDue', () => ledger.sweepDue(10));
      ringAll(bells);
      for (const lane of LANES) {
        for (const { job, chunk } of await ledger.takenChunks(lane)) {
          if (!jobs.has(job)) await checker.plain(`putBack ${job} ${chunk}`, () => ledger.putBack(lane, job, chunk));
        }
      }
      const { waitingChunks, cancelsUnderWay } = await ledger.summary();
      if (cancelsUnderWay > 0) await checker.cancelSome();
      for (const lane of LANES) {
        const missing = waitingChunks[lane] - waiting.filter((j) => j.lane === lane && jobs.has(j.id)).length;
        for (let n = missing; n > 0; n -= 1) ring(lane);
      }
    }
    for (const job of jobs.values()) {
      const { active } = job;
      if (!active || active.lock > loop.now()) continue;
      if (!active.worker.dead && active.worker.frozenUntil <= loop.now()) continue;
      job.active = null;
      waiting.push(job);
    }
  }

  async function* harm(): Task {
    for (;;) {
      yield (20 + loop.int(60)) * UNIT;
      if (!chaos.on) return;
      const slot = loop.int(workers.length);
      const worker = workers[slot] as Worker;
      const x = loop.random();
      if (x < 0.35) {
        world.trace(`kill ${worker.id}`);
        worker.dead = true;
        loop.at(loop.now() + (5 + loop.int(30)) * UNIT, () => hire(slot));
      } else if (x < 0.65) {
        worker.frozenUntil = loop.now() + (5 + loop.int(110)) * UNIT;
        worker.thawedAt = worker.frozenUntil;
        world.trace(`freeze ${worker.id} until ${worker.frozenUntil - START}`);
      } else if (x < 0.72) {
        for (const job of waiting.splice(0)) jobs.delete(job.id);
        world.trace('the queue is emptied');
      }
    }
  }
  loop.spawn(harm());

  return {
    over,
    ringAll,
    sweep,
    isEmpty: () => jobs.size === 0,
    thaw() {
      for (const worker of workers) worker.frozenUntil = Math.min(worker.frozenUntil, loop.now());
    },
  };
}
