import { execFileSync } from 'node:child_process';
import { cpus, loadavg, totalmem } from 'node:os';

/** What a result has to be read with: the machine, how busy it was, and the versions of what ran. */
export function describeMachine(): Readonly<Record<string, string | number>> {
  const cores = cpus();
  return {
    cores: cores.length,
    cpu: cores[0]?.model.trim() ?? 'unknown',
    memoryGb: Math.round(totalmem() / 2 ** 30),
    load1m: Math.round((loadavg()[0] ?? 0) * 100) / 100,
    os: `${process.platform} ${process.arch}`,
    node: process.versions.node,
    redis: versionOf('redis-server', ['--version']).match(/v=(\S+)/)?.[1] ?? 'unknown',
    pinegate: versionOf('git', ['describe', '--always', '--dirty']),
  };
}

function versionOf(command: string, args: readonly string[]): string {
  try {
    return execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  } catch {
    return 'unknown';
  }
}
