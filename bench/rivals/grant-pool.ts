import { Pool } from 'undici';
import { EXPIRES, type RivalSetup } from './rival.ts';

const STREAMS = 100;
const DEADLINE_MS = 6_000;
const ORIGIN = 'https://www.tradingview.com';
/** As Pinegate sends: the same calls byte by byte. */
const USER_AGENT =
  'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Safari/537.36';

/** TradingView as whoever writes it in an afternoon calls it: undici's own `request`, on a pool with the settings of Pinegate's. */
export interface GrantPool {
  /** Adds one user. Rejects where the answer is not `ok`. */
  add(username: string): Promise<void>;
  /** Reads whether the user has access already. */
  has(username: string): Promise<boolean>;
  close(): Promise<void>;
}

export function openGrantPool({ baseUrl, ca, script, sessionid, sessionidSign, inFlight }: RivalSetup): GrantPool {
  const pool = new Pool(baseUrl, {
    connections: Math.ceil(inFlight / STREAMS),
    allowH2: true,
    pipelining: 1,
    h2Options: { maxConcurrentStreams: STREAMS },
    connect: { preferH2: true, ca },
    headersTimeout: DEADLINE_MS,
    bodyTimeout: DEADLINE_MS,
  });
  const headers = {
    origin: ORIGIN,
    referer: ORIGIN,
    'x-requested-with': 'XMLHttpRequest',
    'user-agent': USER_AGENT,
    cookie: `sessionid=${sessionid}; sessionid_sign=${sessionidSign}`,
    'content-type': 'application/x-www-form-urlencoded',
  };
  const pineId = encodeURIComponent(script);
  const expiration = encodeURIComponent(EXPIRES);

  async function post(path: string, body: string) {
    const answer = await pool.request({ method: 'POST', path, headers, body });
    const json = (await answer.body.json()) as { status?: string; results?: readonly unknown[] };
    if (answer.statusCode >= 300) throw new Error(`${path} was answered with ${answer.statusCode}`);
    return json;
  }

  return {
    async add(username) {
      const body = `pine_id=${pineId}&username_recip=${encodeURIComponent(username)}&expiration=${expiration}`;
      const { status } = await post('/pine_perm/add/', body);
      if (status !== 'ok') throw new Error(`add said ${status}`);
    },
    async has(username) {
      const body = `pine_id=${pineId}&username=${encodeURIComponent(username)}`;
      const { results = [] } = await post('/pine_perm/list_users/?limit=10&order_by=-created', body);
      return results.length > 0;
    },
    close: () => pool.close(),
  };
}
