import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
const USUAL = ['/usr/bin', '/usr/local/bin', '/snap/bin', '/opt/google/chrome'];

/** A Chromium of this machine, or null. */
export function findChromium(): string | null {
  const dirs = [...(process.env.PATH ?? '').split(delimiter), ...USUAL];
  return dirs.flatMap((dir) => NAMES.map((name) => join(dir, name))).find((file) => existsSync(file)) ?? null;
}
