import { randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { StartProblem } from './start-problem.ts';

/** What the demo keeps to itself, made at its first start. */
export interface DemoSecrets {
  /** 32 bytes, base64. */
  readonly secretKey: string;
  readonly adminKey: string;
  /** The sandbox's cookies, by account. */
  readonly cookies: DemoCookies;
}

export type DemoCookies = Readonly<Record<string, { readonly sessionid: string; readonly sessionidSign: string }>>;

/** Errors: `StartProblem` when the file is there but damaged. */
export async function readDemoSecrets(file: string): Promise<DemoSecrets> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
  if (text !== null) return parse(text, file);
  const made: DemoSecrets = {
    secretKey: randomBytes(32).toString('base64'),
    adminKey: `demo-${randomBytes(18).toString('base64url')}`,
    cookies: makeDemoCookies(),
  };
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, `${JSON.stringify(made, null, 2)}\n`, { mode: 0o600 });
  return made;
}

/** Cookies that nobody has used before, for each account of the demo. */
export function makeDemoCookies(): DemoCookies {
  return { demo: makeCookies(), second: makeCookies() };
}

function makeCookies() {
  return { sessionid: randomBytes(16).toString('hex'), sessionidSign: `v3:${randomBytes(24).toString('base64url')}` };
}

function parse(text: string, file: string): DemoSecrets {
  try {
    const read = JSON.parse(text) as DemoSecrets;
    if (read.secretKey && read.adminKey && read.cookies.demo && read.cookies.second) return read;
  } catch {
    // Told below: what is in the file must not be shown.
  }
  throw new StartProblem(`${file} is damaged: remove .data, and the next start makes it anew.`);
}
