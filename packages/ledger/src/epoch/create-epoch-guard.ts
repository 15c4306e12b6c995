import { inSlices } from '@pinegate/runtime';
import type { Directory } from '../directory-types.ts';
import { type DirectoryEpoch, hasGoneBack } from './epoch-record.ts';
import type { Epochs } from './open-epochs.ts';

const BEATS_AT_ONCE = 100;

/** What the ledger asks before it arms a write: which epoch its tag must carry, and how far that must have come. */
export interface EpochMemory {
  /** null while none is known or Redis is emptied: everything is refused. */
  current(): string | null;
  /** The newest beat of an account that is remembered, ms; 0 = none. */
  seen(account: string): number;
  /** A beat was seen. */
  saw(account: string, beat: number): void;
}

/** What a guard found; each is told once. */
export interface EpochEvents {
  /** Nothing is left of the epoch: no write is sent, and nothing is accepted. */
  emptied(): void;
  /** An older state came back: of one account, or of the directory and so of all of them (null). They are paused. */
  restored(account: string | null): void;
}

/** Remembers the epoch for one process and notices when Redis is not the one it was. */
export interface EpochGuard extends EpochMemory {
  /** Looks at the directory now. false: Redis is emptied. Errors: those of Redis. */
  look(): Promise<boolean>;
  /** Redis is emptied, or has not been looked at: nothing may be sent. */
  isHalted(): boolean;
  /** The leader's beat over the directory and these accounts; what does not fit is paused. Errors: those of Redis. */
  beat(accounts: readonly string[]): Promise<void>;
  /** The ledger has refused a claim: looks, and pauses the account where its tag is not the one it was. */
  suspect(account: string): Promise<void>;
}

interface Memory {
  readonly id: string;
  readonly beat: number;
  /** Redis TIME of the newest look. */
  readonly lookedAt: number;
}

/** Makes the guard of a process. It knows nothing until the first `look`. */
export function createEpochGuard(parts: {
  readonly epochs: Epochs;
  readonly accounts: Pick<Directory['accounts'], 'get' | 'setState'>;
  readonly events: EpochEvents;
}): EpochGuard {
  const { epochs, accounts, events } = parts;
  const beats = new Map<string, number>();
  let memory: Memory | null = null;
  let emptied = false;
  let looking: Promise<boolean> | undefined;

  function remember(found: DirectoryEpoch): void {
    if (found.id !== memory?.id) beats.clear();
    memory = { id: found.id, beat: found.beat, lookedAt: found.now };
  }

  async function lookNow(): Promise<boolean> {
    const found = memory === null ? await epochs.begin() : await epochs.read();
    if (found === null) {
      if (!emptied) events.emptied();
      emptied = true;
      return false;
    }
    const known = memory;
    const wrong = known !== null && isWrong(found, known);
    remember(wrong ? await epochs.renew(found.id) : found);
    if (known !== null && memory?.id !== known.id) events.restored(null);
    emptied = false;
    return true;
  }

  // Another epoch that began after the last look was made in answer to a restore: its maker has paused the accounts.
  function isWrong(found: DirectoryEpoch, known: Memory): boolean {
    if (found.id === known.id) return hasGoneBack(found, known.beat);
    return found.madeAt < known.lookedAt;
  }

  const guard: EpochGuard = {
    current: () => (emptied ? null : (memory?.id ?? null)),
    // The leader beats the accounts before the directory: one that is behind the directory has gone back.
    seen: (account) => Math.max(memory?.beat ?? 0, beats.get(account) ?? 0),
    saw(account, beat) {
      if (beat > (beats.get(account) ?? 0)) beats.set(account, beat);
    },
    isHalted: () => emptied || memory === null,
    look() {
      looking ??= lookNow().finally(() => {
        looking = undefined;
      });
      return looking;
    },
    async beat(ids) {
      if (!(await guard.look()) || memory === null) return;
      const { id: epoch, lookedAt } = memory;
      await inSlices(ids, BEATS_AT_ONCE, (account) => beatAccount(account, epoch, lookedAt));
      await epochs.beat(null, epoch, lookedAt);
    },
    async suspect(account) {
      if (!(await guard.look())) return;
      const found = await epochs.readAccount(account);
      if (found !== null && found.id === memory?.id && !hasGoneBack(found, guard.seen(account))) return;
      // First the tag, so that no other worker claims in it meanwhile.
      await epochs.spoil(account);
      if ((await accounts.get(account))?.reason === 'redis_restored') return;
      if ((await accounts.setState(account, 'paused', 'redis_restored')) !== null) events.restored(account);
    },
  };

  async function beatAccount(account: string, epoch: string, at: number): Promise<void> {
    const seen = guard.seen(account);
    const before = await epochs.beat(account, epoch, at);
    if (before === null || hasGoneBack({ id: epoch, beat: before, gap: { from: 0, to: 0 } }, seen)) {
      await guard.suspect(account);
    } else guard.saw(account, at);
  }

  return guard;
}
