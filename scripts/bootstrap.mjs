// npm start, npm test and the load, from nothing: plain JavaScript that any Node from 18 on can run.
import { spawn } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describeTally, runChecks } from './bootstrap/checks.mjs';
import { toolEnvironment } from './bootstrap/commands.mjs';
import { installDependencies } from './bootstrap/dependencies.mjs';
import { Problem, say } from './bootstrap/problem.mjs';
import { bringRedis } from './bootstrap/redis.mjs';
import { runToEnd } from './bootstrap/run-to-end.mjs';
import { bringTools } from './bootstrap/tools.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const tools = join(root, '.tools');
const home = join(tools, 'home');

/**
 * @param {string | undefined} command
 * @param {readonly string[]} args
 * @returns {Promise<number>} exit code
 */
async function main(command, args) {
  if (!['start', 'test', 'load', 'tools', 'monitor'].includes(command ?? ''))
    throw new Problem('usage: node scripts/bootstrap.mjs start|test|load|tools|monitor [arguments]');
  const binaries = bringTools(tools, toolEnvironment(process.env, [], home));
  if (command === 'tools') return 0;
  const env = toolEnvironment(process.env, [dirname(binaries.node), dirname(binaries.pnpm)], home);
  installDependencies(root, binaries, env);
  // The tests and the load always have a Redis of their own.
  const ownRedis = command === 'test' || command === 'load';
  if (command !== 'monitor' && (ownRedis || !env.REDIS_URL)) bringRedis(tools, env);

  if (command !== 'test') {
    // In a group of its own, so that Ctrl-C reaches it once, and from here.
    const child = spawn(binaries.node, [command === 'load' ? 'bench/load.ts' : `scripts/${command}.ts`, ...args], {
      cwd: root,
      env,
      stdio: 'inherit',
      detached: true,
    });
    return (await runToEnd(child, { detached: true })).code;
  }
  const tally = await runChecks(root, binaries, env, args);
  process.stdout.write(`\n${describeTally(tally)}\n`);
  return tally.failed > 0 ? 1 : 0;
}

const [command, ...args] = process.argv.slice(2);
main(command, args).then(
  (code) => {
    process.exitCode = code;
  },
  (error) => {
    const message = error instanceof Problem ? error.message : String(error?.stack ?? error);
    say(message);
    const tally = { passed: 0, failed: 1, skipped: 0, failures: [message] };
    if (command === 'test') process.stdout.write(`\n${describeTally(tally)}\n`);
    process.exitCode = 1;
  },
);
