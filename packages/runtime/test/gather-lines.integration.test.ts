import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';

const RUNTIME = new URL('../src/index.ts', import.meta.url).href;

test.each([
  ['exits', 'process.exit(3);', 3],
  ['ends by itself', '', 0],
  ['dies of an error that nobody caught', 'throw new Error("oh");', 1],
])('the last lines of a process that %s are written', (_how, end, status) => {
  const script = `import { createLogger } from '${RUNTIME}';
    const log = createLogger({ app: 'test', level: 'info' });
    log.info('first');
    log.info('last');
    ${end}`;
  const ended = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
  expect(ended.status).toBe(status);
  const lines = ended.stdout.trimEnd().split('\n');
  expect(lines.map((line) => JSON.parse(line).msg)).toEqual(['first', 'last']);
});
