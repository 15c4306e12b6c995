import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { DCLinter } from 'dclint';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { environmentNames } from './environment-names.ts';
import { readCompose } from './read-compose.ts';
import { readDockerfile } from './read-dockerfile.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const { services, secrets } = readCompose(ROOT);
const stages = readDockerfile(readFileSync(join(ROOT, 'Dockerfile'), 'utf8'));
type LintMessage = { readonly type: string; readonly line: number; readonly message: string };

const APPS = ['api', 'worker', 'dashboard', 'sandbox'] as const;

describe('docker-compose.yml', () => {
  it('follows the compose specification and gives a linter no error to report', () => {
    // A service that is built here gets a name and a tag for the registry, too.
    const linter = new DCLinter({
      rules: { 'no-build-and-image': 0 },
      quiet: false,
      debug: false,
      exclude: [],
      disableRules: [],
    } as unknown as ConstructorParameters<typeof DCLinter>[0]);
    const results: readonly { messages: LintMessage[] }[] = linter.lintFiles([join(ROOT, 'docker-compose.yml')], false);
    const messages = results.flatMap((result) => result.messages);
    expect(messages.length).toBeGreaterThan(0);
    expect(messages.filter(({ type }) => type === 'error').map(({ line, message }) => `${line}: ${message}`)).toEqual(
      [],
    );
  });

  it.each(APPS)('gives %s only variables that it reads, secrets only as files', (app) => {
    const known = environmentNames(app);
    const given = Object.keys(services[app]?.environment ?? {});
    expect(given.filter((name) => !known.has(name))).toEqual([]);
    expect(given.filter((name) => /SECRET|ADMIN_KEY/.test(name) && !name.endsWith('_FILE'))).toEqual([]);
    for (const [name, value] of Object.entries(services[app]?.environment ?? {})) {
      if (name.endsWith('_FILE')) expect(services[app]?.secrets).toContain(value.replace('/run/secrets/', ''));
    }
  });

  it('builds stages that there are, and declares the secrets it uses', () => {
    for (const service of Object.values(services)) {
      if (service.build) expect(stages.map(({ name }) => name)).toContain(service.build.target);
      for (const secret of service.secrets ?? []) expect(Object.keys(secrets)).toContain(secret);
    }
  });

  it('publishes ports on this machine only, and those that the images listen on', () => {
    for (const [name, service] of Object.entries(services)) {
      for (const port of service.ports ?? []) {
        const [host, , inner] = port.split(':');
        expect(host).toBe('127.0.0.1');
        const stage = stages.find((s) => s.name === service.build?.target);
        const exposed = stage?.instructions.find(({ keyword }) => keyword === 'EXPOSE')?.rest.split(' ');
        if (exposed) expect({ name, exposed }).toEqual({ name, exposed: expect.arrayContaining([inner]) });
      }
    }
  });

  it('leaves the worker free of fixed names and ports, so that it scales', () => {
    expect(services.worker).not.toHaveProperty('container_name');
    expect(services.worker?.ports ?? []).toEqual([]);
  });

  it('keeps what Redis holds: append-only, and nothing evicted', () => {
    const command = services.redis?.command?.join(' ');
    expect(command).toContain('--appendonly yes');
    expect(command).toContain('--maxmemory-policy noeviction');
  });

  it.each(APPS)('runs %s without rights on files that nobody can write', (app) => {
    expect(services[app]).toMatchObject({ read_only: true, cap_drop: ['ALL'] });
  });

  it('mounts files that there are', () => {
    const files = Object.values(services).flatMap(({ volumes = [] }) => volumes.map((v) => v.split(':')[0] ?? ''));
    const own = files.filter((file) => file.startsWith('./'));
    expect(own.length).toBeGreaterThan(1);
    expect(own.filter((file) => !existsSync(join(ROOT, file)))).toEqual([]);
  });

  it('has Prometheus look where the apps serve their metrics', () => {
    const config = parse(readFileSync(join(ROOT, 'ops/compose/prometheus.yml'), 'utf8'));
    const targets = config.scrape_configs.flatMap((job: { dns_sd_configs: { names: string[]; port: number }[] }) =>
      job.dns_sd_configs.map(({ names, port }) => `${names[0]}:${port}`),
    );
    const exposed = ['api', 'worker', 'dashboard'].map((app) => {
      const stage = stages.find(({ name }) => name === app);
      return `${app}:${stage?.instructions.find(({ keyword }) => keyword === 'EXPOSE')?.rest}`;
    });
    expect(targets).toEqual(exposed);
  });
});
