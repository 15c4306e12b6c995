import { expect, it, onTestFinished } from 'vitest';
import { startProcess } from '../src/index.ts';

const script = (code: string) => ({ args: ['-e', code] });
const forever = "console.log('ready'); console.error('warned'); setInterval(() => {}, 1000);";

it('waits for the ready line and captures both outputs', async () => {
  const child = await startProcess({ ...script(forever), readyLine: /^ready$/ });
  onTestFinished(async () => void (await child.kill()));
  await child.line('warned');
  expect([...child.lines].sort()).toEqual(['ready', 'warned']);
  expect(process.kill(child.pid, 0)).toBe(true);
});

it('stops by SIGTERM, or kills what does not listen', async () => {
  const polite = await startProcess({ ...script(forever), readyLine: 'ready' });
  expect(await polite.stop()).toEqual({ code: null, signal: 'SIGTERM' });
  const deaf = await startProcess({ ...script(`process.on('SIGTERM', () => {}); ${forever}`), readyLine: 'ready' });
  expect(await deaf.stop(10)).toEqual({ code: null, signal: 'SIGKILL' });
});

it('shows the output of a process that ends, or goes on, without its ready line', async () => {
  const ends = startProcess({ ...script("console.error('no such thing'); process.exit(3)"), readyLine: 'ready' });
  await expect(ends).rejects.toThrow(/ended \(3\) without ready:\nno such thing/);
  const goesOn = startProcess({ ...script(forever), readyLine: 'other', readyMs: 300 });
  await expect(goesOn).rejects.toThrow('did not write other within 300 ms');
});

it('passes on nothing of its own environment, and says where to keep what is compiled', async () => {
  const child = await startProcess({ ...script('console.log(JSON.stringify(process.env))'), env: { ONLY: 'this' } });
  await child.exited;
  expect(JSON.parse(child.lines[0] ?? '')).toEqual({ ONLY: 'this', NODE_COMPILE_CACHE: expect.any(String) });
});

it('rejects for a command that does not exist', async () => {
  await expect(startProcess({ command: '/no/such/command', args: [], readyLine: 'x' })).rejects.toThrow('ENOENT');
});
