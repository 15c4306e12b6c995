import { type Accounts, buildAccounts } from './accounts.ts';
import { buildCounters, type Counters } from './counters.ts';
import { buildEvents, type Events } from './events.ts';
import { buildFaults, type Faults } from './faults.ts';
import { buildLateWrites, type LateWrites } from './late-writes.ts';
import { buildLimits, type Limits } from './limits.ts';
import { buildMemberList, type MemberList } from './member-list.ts';
import type { OptionsPatch } from './options.ts';
import { buildRandom, type Random } from './random.ts';
import { buildSettings, type Settings } from './settings.ts';
import { buildTimers, type Timers } from './timers.ts';
import { buildUsernames, type Usernames } from './usernames.ts';
import { buildWriteLog, type WriteLog } from './write-log.ts';

/** Everything a request can touch. */
export type Parts = {
  readonly settings: Settings;
  readonly accounts: Accounts;
  readonly usernames: Usernames;
  readonly limits: Limits;
  readonly faults: Faults;
  readonly lateWrites: LateWrites;
  readonly writes: WriteLog;
  readonly counters: Counters;
  readonly events: Events;
  readonly timers: Timers;
  readonly random: Random;
  /** ms since 1970, `clockOffsetMs` included. */
  now(): number;
  /** The member list of a script, empty until something is put in. */
  membersOf(pineId: string): MemberList;
  /** Empties all of it and starts the random numbers again from the seed. */
  clear(): void;
};

export type PartsInput = { readonly seed: string; readonly now: () => number; readonly options: OptionsPatch };

export function buildParts(input: PartsInput): Parts {
  const settings = buildSettings(input.options);
  const scripts = new Map<string, MemberList>();
  const timers = buildTimers();
  let draw = buildRandom(input.seed);
  const random = () => draw();
  const cleared = {
    accounts: buildAccounts(),
    usernames: buildUsernames(settings),
    limits: buildLimits(),
    faults: buildFaults(random),
    lateWrites: buildLateWrites(timers),
    writes: buildWriteLog(),
    counters: buildCounters(),
  };

  return {
    ...cleared,
    settings,
    timers,
    random,
    events: buildEvents(),
    now: () => input.now() + settings.current.clockOffsetMs,
    membersOf(pineId) {
      let list = scripts.get(pineId);
      if (!list) {
        list = buildMemberList();
        scripts.set(pineId, list);
      }
      return list;
    },
    clear() {
      for (const part of Object.values(cleared)) part.clear();
      scripts.clear();
      settings.reset();
      draw = buildRandom(input.seed);
    },
  };
}
