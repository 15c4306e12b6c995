/** Up to this many accounts every worker serves all of them. */
const ALL_SERVE_ALL = 50;
/** Above it, as many workers serve each account: two may die at once and work goes on. */
const SERVERS = 3;

/**
 * Whether `self` serves an account: by rendezvous hashing, so that a worker that comes or goes moves only the accounts that it wins or leaves.
 * Workers may see each other a little differently for a moment: an account then has more or fewer servers, but in no view none.
 */
export function serves(self: string, account: string, workers: readonly string[], accounts: number): boolean {
  if (accounts <= ALL_SERVE_ALL || workers.length <= SERVERS) return true;
  const own = weight(account, self);
  let ahead = 0;
  for (const other of workers) {
    if (other === self) continue;
    const theirs = weight(account, other);
    if (theirs > own || (theirs === own && other < self)) ahead += 1;
    if (ahead === SERVERS) return false;
  }
  return true;
}

/** 32 bits: FNV-1a, then mixed so that names that differ in one letter are far apart. */
function weight(account: string, worker: string): number {
  let hash = 0x811c9dc5;
  for (const text of [account, '\n', worker]) {
    for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
