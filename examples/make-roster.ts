// Makes a roster as script vendors have them: node examples/make-roster.ts --rows 25000 --seed 7 --out roster.ndjson
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { buildRandom, type Random } from './seeded-random.ts';

type Cells = readonly [
  action: string,
  script: string,
  username: string,
  expiresAt: string,
  duration: string,
  by: string,
];

type Member = { readonly username: string; readonly expiration: string | null };

const COLUMNS = ['action', 'script', 'username', 'expires_at', 'duration', 'extend_by'] as const;
const SCRIPTS = [
  'PUB;4f1c0a6be2d94b7f8a35c6d7e8f90112',
  'PUB;9b7e3d2158c64a0fb1e2d3c4a5968778',
  'PUB;c0d1e2f3a4b5468798a9bacbdcedfe0f',
];
const FIRST =
  'alpha,bull,bear,chart,crypto,delta,ema,fib,gold,hedge,kilo,lucky,macro,north,option,pip,quant,rsi,swing,tick';
const SECOND =
  'anna,boris,carla,diego,emil,fatima,georg,hana,ivan,julia,kenji,lena,marco,nina,omar,priya,rosa,sven,tom,yuki';
const DURATIONS = ['30D', '7D', '1M', '3M', '1Y', '2W', '1L'];
const EXTENSIONS = ['1M', '30D', '1Y', '2W'];

const { values } = parseArgs({
  options: {
    rows: { type: 'string', default: '2000' },
    seed: { type: 'string', default: '1' },
    out: { type: 'string' },
    /** Also writes what the sandbox has to hold before: the users whose names have capitals, and members of old. */
    world: { type: 'string' },
  },
});
if (values.out === undefined || !/^\d+$/.test(values.rows) || !/^\d+$/.test(values.seed)) {
  process.stderr.write(
    'usage: node examples/make-roster.ts --rows N --seed N --out FILE.csv|FILE.ndjson [--world FILE.json]\n',
  );
  process.exit(1);
}

const random = buildRandom(Number(values.seed));
const users = drawUsers(Math.max(10, Math.ceil(Number(values.rows) * 0.8)), random);
const members: Record<string, Member[]> = Object.fromEntries(SCRIPTS.map((script) => [script, []]));
const rows = drawRows(Number(values.rows), users, random);
writeFileSync(values.out, values.out.endsWith('.csv') ? asCsv(rows) : asNdjson(rows));
if (values.world !== undefined) {
  const capitals = users.filter((user) => user !== user.toLowerCase());
  writeFileSync(values.world, `${JSON.stringify({ users: capitals, members }, null, 1)}\n`);
}

/** Canonical spellings; one in six has capitals. No two differ only in case. */
function drawUsers(count: number, { pick, below }: Random): string[] {
  const first = FIRST.split(',');
  const second = SECOND.split(',');
  return Array.from({ length: count }, (_, index) => {
    const words = [pick(first), pick(second)];
    if (below(6) === 0) return `${words.map((word) => word[0]?.toUpperCase() + word.slice(1)).join('')}${index}`;
    return `${words.join(pick(['_', '.', '-', '']))}${index}`;
  });
}

function drawRows(count: number, users: readonly string[], random: Random): Cells[] {
  const rows: Cells[] = [];
  const step = Math.max(50, Math.floor(count / 14));
  while (rows.length < count) {
    const at = rows.length + 1;
    if (at % step === 0) rows.push(malformedRow(at / step, random));
    else rows.push(plainRow(users[at % users.length] as string, random));
  }
  return rows;
}

function plainRow(user: string, random: Random): Cells {
  const { pick, below } = random;
  const script = pick(SCRIPTS);
  const name = below(50) === 0 ? `ghost_${user}` : writtenAs(user, random);
  const kind = below(100);
  // Whose access ends is a member, mostly; of the others some renew.
  if (below(10) < (kind < 14 ? 8 : 2)) {
    members[script]?.push({ username: user, expiration: below(4) === 0 ? null : futureDate(random) });
  }
  if (kind < 14) return ['revoke', script, name, '', '', ''];
  if (kind < 24) return ['grant', script, name, 'lifetime', '', ''];
  if (kind < 34) return ['grant', script, name, '', '', pick(EXTENSIONS)];
  if (kind < 54) return ['grant', script, name, '', pick(DURATIONS), ''];
  return ['grant', script, name, futureDate(random), '', ''];
}

/** As customers type their names into a checkout form. */
function writtenAs(user: string, { below }: Random): string {
  const way = below(20);
  if (way < 2) return `@${user}`;
  if (way === 2) return `https://www.tradingview.com/u/${user}/`;
  if (way === 3) return ` ${user} `;
  if (way === 4) return user.toLowerCase();
  if (way === 5) return user.toUpperCase();
  return user;
}

function futureDate({ below }: Random): string {
  const day = new Date(Date.UTC(2031, below(60), 1 + below(28))).toISOString().slice(0, 10);
  return below(3) === 0 ? `${day}T18:00:00+02:00` : `${day}T00:00:00Z`;
}

function malformedRow(index: number, { pick }: Random): Cells {
  const script = pick(SCRIPTS);
  const rows: readonly Cells[] = [
    ['grant', script, 'bad_duration', '', '1 month', ''],
    ['grant', `PUB;${'0'.repeat(32)}`, 'unknown_script', 'lifetime', '', ''],
    ['grant', script, 'two_ways', '2031-05-01T00:00:00Z', '30D', ''],
    ['grant', script, 'n'.repeat(65), 'lifetime', '', ''],
    ['grant', script, 'no_expiry', '', '', ''],
    ['grant', script, 'long_ago', '2019-01-31T00:00:00Z', '', ''],
    ['grnat', script, 'typing_error', 'lifetime', '', ''],
    ['revoke', script, 'revoke_until', '2031-05-01T00:00:00Z', '', ''],
    ['grant', script, 'no_zone', '2031-05-01', '', ''],
    ['grant', 'my best script', 'no_pine_id', 'lifetime', '', ''],
  ];
  return rows[(index - 1) % rows.length] as Cells;
}

function asCsv(rows: readonly Cells[]): string {
  const quoted = (cell: string) => (/[",\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell);
  return `${[COLUMNS, ...rows].map((row) => row.map(quoted).join(',')).join('\n')}\n`;
}

function asNdjson(rows: readonly Cells[]): string {
  const lines = rows.map(([action, script, username, expiresAt, duration, extendBy]) =>
    JSON.stringify({
      action,
      script,
      username,
      ...(expiresAt === '' ? {} : { expiresAt: expiresAt === 'lifetime' ? null : expiresAt }),
      ...(duration === '' ? {} : { duration }),
      ...(extendBy === '' ? {} : { extendBy }),
    }),
  );
  return `${lines.join('\n')}\n`;
}
