import type { Endpoint, Fault, FaultRates, Options } from './options.ts';
import type { Random } from './random.ts';

/** A fault for the next requests that fit; planned ones come before drawn ones, in the order they were planned. */
export type PlannedFault = {
  readonly fault: Fault;
  readonly endpoint?: Endpoint | undefined;
  /** In any case. */
  readonly username?: string | undefined;
  /** Default 1. */
  readonly count?: number | undefined;
};

export type Faults = {
  plan(planned: PlannedFault): void;
  /** At most one fault for a request: one number is drawn, and the rates share the range from 0 to 1. */
  choose(options: Options, endpoint: Endpoint, username: string | null): Fault | null;
  clear(): void;
};

export function buildFaults(random: Random): Faults {
  let plans: { planned: PlannedFault; left: number }[] = [];

  function planned(endpoint: Endpoint, username: string | null): Fault | null {
    const plan = plans.find(({ planned: wanted }) => fits(wanted, endpoint, username));
    if (!plan) return null;
    if (--plan.left === 0) plans = plans.filter((other) => other !== plan);
    return plan.planned.fault;
  }

  return {
    plan(wanted) {
      plans.push({ planned: wanted, left: wanted.count ?? 1 });
    },
    choose(options, endpoint, username) {
      const next = plans.length > 0 ? planned(endpoint, username) : null;
      return next ?? drawFault({ ...options.faults, ...options.faultsByEndpoint[endpoint] }, random);
    },
    clear() {
      plans = [];
    },
  };
}

function fits(wanted: PlannedFault, endpoint: Endpoint, username: string | null): boolean {
  if (wanted.endpoint !== undefined && wanted.endpoint !== endpoint) return false;
  return wanted.username === undefined || wanted.username.toLowerCase() === username?.toLowerCase();
}

function drawFault(rates: FaultRates, random: Random): Fault | null {
  const entries = Object.entries(rates) as [Fault, number][];
  if (entries.length === 0) return null;
  let left = random();
  for (const [fault, rate] of entries) {
    if (left < rate) return fault;
    left -= rate;
  }
  return null;
}
