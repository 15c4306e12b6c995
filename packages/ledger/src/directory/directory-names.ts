import { createHash } from 'node:crypto';

/** The Redis keys of the directory, all under the hash tag `{<ns>}`. */
export interface DirectoryNames {
  /** set: ids of accounts */
  readonly accounts: string;
  /** string: counter of changes to accounts; also the channel on which they are told */
  readonly revision: string;
  /** hash: script → `<account>:<index>` */
  readonly scripts: string;
  /** hash, for ever: `<account>` → indexes given so far, `<account>:<index>` → script */
  readonly indexes: string;
  /** hash: account → `<postedAt>:<sealed cookies>` */
  readonly sessions: string;
  /** hash: id → JSON of the API key with the hash of its secret */
  readonly keys: string;
  /** hash: id of an API key → when it was last used */
  readonly keysUsed: string;
  /** stream: one entry an audited action, JSON in its field `entry` */
  readonly audit: string;
  /** zset: batch → number in order of creation */
  readonly batches: string;
  /** string: number of the newest batch */
  readonly batchNumber: string;
  /** zset: account → time of its next sweep */
  readonly due: string;
  /** hash: id of the epoch, when it was made, and the leader's beat */
  readonly epoch: string;
  /** hash: hour since 1970 → requests under an Idempotency-Key begun in it */
  readonly idempotencyHours: string;
  /** never there: what asks for room names it */
  readonly room: string;
  /** zset: running worker → time of its last beat */
  readonly workers: string;
  /** hash: one account */
  account(id: string): string;
  /** string that expires: the account's session is suspect, and one worker asks */
  suspicion(id: string): string;
  /** hash of the record; hash row → hash of bytes; zset of JSON by row; bitmap of rejected rows */
  batch(id: string): readonly [record: string, checkpoints: string, rejections: string, rejectedRows: string];
  /** hash: one request */
  idempotency(scope: string, key: string): string;
}

/** Names for one namespace. */
export function directoryNames(ns: string): DirectoryNames {
  const tag = `{${ns}}`;
  return {
    accounts: `${tag}:accounts`,
    revision: `${tag}:revision`,
    scripts: `${tag}:scripts`,
    indexes: `${tag}:indexes`,
    sessions: `${tag}:sessions`,
    keys: `${tag}:keys`,
    keysUsed: `${tag}:keys-used`,
    audit: `${tag}:audit`,
    batches: `${tag}:batches`,
    batchNumber: `${tag}:batch-number`,
    due: `${tag}:due`,
    epoch: `${tag}:epoch`,
    idempotencyHours: `${tag}:idempotency-hours`,
    room: `${tag}:room`,
    workers: `${tag}:workers`,
    account: (id) => `${tag}:account:${id}`,
    suspicion: (id) => `${tag}:account:${id}:suspicion`,
    batch: (id) => {
      const record = `${tag}:batch:${id}`;
      return [record, `${record}:checkpoints`, `${record}:rejections`, `${record}:rejected-rows`];
    },
    // Hashed: both are the client's text, of any length, and may hold a name.
    idempotency: (scope, key) =>
      `${tag}:idempotency:${createHash('sha256')
        .update(JSON.stringify([scope, key]))
        .digest('base64url')}`,
  };
}
