import type { Api } from './call-api.ts';
import type { Accepted, Batch } from './drain-roster.ts';
import type { Ports } from './ports.ts';
import { ACCOUNTS } from './prepare-demo.ts';

type Say = (line: string) => void;

const SHOWN = 8;

const MEANINGS: Readonly<Record<string, string>> = {
  granted: 'access given',
  changed: 'expiry moved',
  revoked: 'access taken away',
  unchanged: 'was so already',
  superseded: 'a later row of the same user and script replaced it',
  rejected: 'TradingView refused: no such user, mostly',
  failed: 'given up, can be tried again',
  cancelled: 'called off',
};

/** One line for each outcome, and the sum. */
export function outcomeTable({ outcomes, pending, total }: Batch): string {
  const row = (name: string, count: number, meaning: string) =>
    `  ${name.padEnd(11)} ${String(count).padStart(6)}  ${meaning}`.trimEnd();
  const rows = Object.entries(MEANINGS).map(([name, meaning]) => row(name, outcomes[name] ?? 0, meaning));
  return [...rows, row('pending', pending, ''), row('total', total, '')].join('\n');
}

/** The first rows the API refused, and the first users TradingView did. */
export async function tellRejections(api: Api, accepted: Accepted, say: Say): Promise<void> {
  say(`\nRows refused at once (${accepted.rejected}), the first of them:`);
  for (const { row, code, detail } of accepted.rejections.slice(0, SHOWN)) {
    say(`  row ${String(row).padEnd(5)} ${code.padEnd(19)} ${detail}`);
  }
  const path = `/v1/batches/${accepted.id}/failures?limit=${SHOWN}`;
  const { items } = await api.rest<{ items: { username: string; outcome: string; code: string }[] }>('GET', path);
  if (items.length === 0) return;
  say('Refused upstream or given up, the first of them:');
  for (const { username, outcome, code } of items) say(`  ${username.padEnd(24)} ${outcome.padEnd(9)} ${code}`);
}

/** Addresses, the key, and three commands to paste. */
export function tellWhereToLook(ports: Ports, key: string, batch: string, say: Say): void {
  const api = `http://127.0.0.1:${ports.api}`;
  const script = encodeURIComponent(ACCOUNTS.demo?.[0] ?? '');
  const auth = `-H 'Authorization: Bearer ${key}'`;
  const access = `'${api}/v1/scripts/${script}/access/new_customer'`;
  say(`
API docs     ${api}/docs
Dashboard    http://127.0.0.1:${ports.dashboard}/   (log in with the key)
Key          ${key}
Logs         .data/logs

Grant one user, and wait until it is so:
  curl -sX PUT ${access} ${auth} -H 'Prefer: wait=10' -H 'Content-Type: application/json' -d '{"duration":"30D"}'
See that access again:
  curl -s ${access} ${auth}
See the batch:
  curl -s '${api}/v1/batches/${batch}' ${auth}

Ctrl-C stops everything.`);
}
