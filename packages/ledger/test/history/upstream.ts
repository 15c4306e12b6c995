import { type State, shown } from '../law.ts';
import type { EventLoop, Task } from './event-loop.ts';

/** What nobody has documented about the upstream: each history has its own. */
export interface Switches {
  /** Lists show members whose date has passed. */
  readonly expiredListed: boolean;
  readonly removeAbsent: 'not_exists' | '422' | 'ok';
  /** A modify to lifetime works; where it does not, it answers ok and changes nothing. */
  readonly modifyToLife: boolean;
  /** Only the canonical spelling of a user is accepted. */
  readonly strictSpelling: boolean;
}

export interface User {
  readonly spelling: string;
  readonly exists: boolean;
  state: State;
}

export type Call = 'add' | 'modify' | 'remove';
export type Answer = 'ok' | 'exists' | 'not_exists' | '422' | '429' | 'lost';

export interface Upstream {
  readonly users: ReadonlyMap<string, User>;
  /** A write takes at most the deadline to answer; a lost one may still land up to `late` ms after that. */
  readonly write: (name: string, spelling: string, call: Call, state: State) => Task<Answer>;
  readonly read: (name: string) => Task<State | 'failed'>;
  readonly lookUp: (name: string) => Task<string | null | 'failed'>;
  readonly listed: (name: string) => State;
}

interface Options {
  readonly loop: EventLoop;
  readonly unit: number;
  readonly deadline: number;
  readonly late: number;
  readonly switches: Switches;
  readonly users: ReadonlyMap<string, User>;
  /** Share of requests that go wrong. */
  readonly faults: () => number;
}

export function createUpstream({ loop, unit, deadline, late, switches, users, faults }: Options): Upstream {
  const user = (name: string) => users.get(name) as User;

  function listed(name: string): State {
    const { state } = user(name);
    return switches.expiredListed ? state : shown(state, loop.now());
  }

  function apply(name: string, spelling: string, call: Call, state: State): Answer {
    const u = user(name);
    if (!u.exists || (switches.strictSpelling && spelling !== u.spelling)) {
      return call === 'remove' && u.state === 'n' ? wrongRemove() : '422';
    }
    if (call === 'remove') {
      if (u.state === 'n') return switches.removeAbsent;
      u.state = 'n';
      return 'ok';
    }
    if (call === 'add' && u.state !== 'n') return 'exists';
    if (call === 'modify' && u.state === 'n') return '422';
    if (!(call === 'modify' && state === 'l' && !switches.modifyToLife)) u.state = state;
    return 'ok';
  }

  // A remove under a wrong spelling looks like one of an absent user.
  function wrongRemove(): Answer {
    return switches.removeAbsent === 'ok' ? '422' : switches.removeAbsent;
  }

  return {
    users,
    listed,
    async *write(name, spelling, call, state) {
      const fault = loop.random() / Math.max(faults(), 1e-9);
      const latency = (1 + loop.int(4)) * unit;
      const land = () => void apply(name, spelling, call, state);
      if (fault < 0.15) {
        yield latency;
        return '429';
      }
      if (fault < 0.3) {
        yield latency;
        return 'lost';
      }
      if (fault < 0.5) {
        loop.at(loop.now() + latency, land);
        yield latency + (1 + loop.int(4)) * unit;
        return 'lost';
      }
      if (fault < 1) {
        if (fault < 0.85) loop.at(loop.now() + deadline + loop.int(late), land);
        yield deadline;
        return 'lost';
      }
      let answer: Answer = 'lost';
      loop.at(loop.now() + latency, () => {
        answer = apply(name, spelling, call, state);
      });
      yield latency + (1 + loop.int(3)) * unit;
      return answer;
    },
    async *read(name) {
      const bad = loop.random() < faults() * 0.3;
      let seen: State | 'failed' = 'failed';
      const latency = (1 + loop.int(4)) * unit;
      loop.at(loop.now() + latency, () => {
        if (!bad) seen = listed(name);
      });
      yield latency + (1 + loop.int(3)) * unit;
      return seen;
    },
    async *lookUp(name) {
      yield (1 + loop.int(3)) * unit;
      if (loop.random() < faults() * 0.3) return 'failed';
      return user(name).exists ? user(name).spelling : null;
    },
  };
}
