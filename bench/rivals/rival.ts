/** What a rival process is started with. */
export interface RivalSetup {
  readonly rival: string;
  /** Origin of the sandbox, https. */
  readonly baseUrl: string;
  /** PEM certificate of the sandbox. */
  readonly ca: string;
  readonly redisUrl: string;
  /** Pine id that access is granted to. */
  readonly script: string;
  readonly sessionid: string;
  readonly sessionidSign: string;
  /** Requests in flight, at most. */
  readonly inFlight: number;
}

/** One measured run: grants for `<names>_0` and so on, until `count` are done or, where `seconds` is given, time is up. */
export interface RivalTask {
  readonly names: string;
  readonly count: number;
  readonly seconds?: number;
}

/** What came of a run. `ms`: from its first act until its last grant was settled; `latencies`: of each request, where they are measured. */
export interface RivalResult {
  readonly done: number;
  readonly ms: number;
  readonly latencies?: readonly number[];
  readonly connections?: number;
}

/** One way of doing what Pinegate does, in a process of its own. */
export interface Rival {
  run(task: RivalTask): Promise<RivalResult>;
  close(): Promise<void>;
}

/** When every granted access ends. */
export const EXPIRES = '2031-05-01T00:00:00.000Z';
