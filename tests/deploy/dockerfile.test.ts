import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { validate } from 'dockerfile-utils';
import { describe, expect, it } from 'vitest';
import { readDockerfile } from './read-dockerfile.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const text = readFileSync(join(ROOT, 'Dockerfile'), 'utf8');
const stages = readDockerfile(text);
const APPS = ['api', 'worker', 'dashboard', 'sandbox'];

describe('the Dockerfile', () => {
  it('gives a linter nothing to say', () => {
    expect(validate(text).map(({ message, range }) => `${range.start.line + 1}: ${message}`)).toEqual([]);
  });

  it('names an exact version of its base image, the same everywhere', () => {
    const bases = new Set(stages.map(({ from }) => from).filter((from) => !stages.some(({ name }) => name === from)));
    const { NODE_VERSION } = readVersions();
    expect([...bases]).toEqual([`node:${NODE_VERSION}-bookworm-slim`]);
  });

  it('copies only what is there', () => {
    const copies = stages.flatMap(({ instructions }) => instructions).filter(({ keyword }) => keyword === 'COPY');
    const own = copies.filter(({ flags }) => flags.length === 0).flatMap(({ rest }) => rest.split(/\s+/).slice(0, -1));
    expect(own.length).toBeGreaterThan(5);
    expect(own.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
  });

  it('has the scripts of operators in every image', () => {
    const runtime = stages.find(({ name }) => name === 'runtime');
    const copied = runtime?.instructions.filter(({ keyword }) => keyword === 'COPY').map(({ rest }) => rest);
    expect(copied).toContain('scripts/reseal.ts scripts/restored.mjs scripts/');
  });

  it.each(APPS)('has an image of %s with a health check, a port and a command', (app) => {
    const keywords = stages.find(({ name }) => name === app)?.instructions.map(({ keyword }) => keyword);
    expect(keywords).toEqual(expect.arrayContaining(['EXPOSE', 'HEALTHCHECK', 'CMD']));
  });

  it('ends as somebody without rights in every image', () => {
    const runtime = stages.find(({ name }) => name === 'runtime');
    expect(runtime?.instructions.filter(({ keyword }) => keyword === 'USER').map(({ rest }) => rest)).toEqual(['node']);
    const others = stages.filter(({ name }) => name !== 'runtime').flatMap(({ instructions }) => instructions);
    expect(others.filter(({ keyword }) => keyword === 'USER')).toEqual([]);
  });
});

function readVersions(): { readonly NODE_VERSION: string } {
  const source = readFileSync(join(ROOT, 'scripts/bootstrap/versions.mjs'), 'utf8');
  return { NODE_VERSION: /NODE_VERSION = '([^']+)'/.exec(source)?.[1] ?? '' };
}
