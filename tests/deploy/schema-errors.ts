import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import type { KubeObject } from './k8s-objects.ts';

const run = promisify(execFile);
const ROOT = resolve(import.meta.dirname, '../..');
const PACKAGES: readonly (readonly [RegExp, string])[] = [
  [/^keda\.sh\//, '@kubernetes-models/keda'],
  [/^monitoring\.coreos\.com\//, '@kubernetes-models/prometheus-operator'],
  [/^/, 'kubernetes-models'],
];

/**
 * What the API would refuse in these objects: by its schemas (formats, ranges, what is required), and by its types as
 * written, which know no other fields than its own. One line for each mistake.
 */
export async function schemaErrors(objects: readonly KubeObject[]): Promise<readonly string[]> {
  const invalid: string[] = [];
  for (const object of objects) {
    const { apiVersion, kind, metadata } = object;
    const models = await import(modulePath(apiVersion));
    if (models[kind] === undefined) {
      invalid.push(`${kind} ${metadata.name}: there is no ${apiVersion} ${kind}`);
      continue;
    }
    try {
      new models[kind](object).validate();
    } catch (error) {
      invalid.push(`${kind} ${metadata.name}: ${error instanceof Error ? error.message : error}`);
    }
  }
  return [...invalid, ...(await unknownFields(objects))];
}

function modulePath(apiVersion: string): string {
  const packageName = PACKAGES.find(([pattern]) => pattern.test(apiVersion))?.[1];
  const [group, version] = apiVersion.includes('/') ? apiVersion.split('/') : ['', apiVersion];
  return [packageName, group, version].filter(Boolean).join('/');
}

/** The runtime schemas let unknown fields pass; a literal checked against its type does not. */
async function unknownFields(objects: readonly KubeObject[]): Promise<string[]> {
  const parent = join(ROOT, 'node_modules', '.pinegate');
  mkdirSync(parent, { recursive: true });
  const dir = mkdtempSync(join(parent, 'k8s-'));
  try {
    const lines = objects.map(({ apiVersion, kind, ...rest }, i) => {
      const literal = JSON.stringify({ apiVersion, kind, ...rest });
      return `import type { I${kind} as T${i} } from '${modulePath(apiVersion)}';\nexport const o${i}: T${i} = ${literal};`;
    });
    writeFileSync(join(dir, 'objects.ts'), lines.join('\n'));
    writeFileSync(
      join(dir, 'tsconfig.json'),
      JSON.stringify({
        extends: resolve(ROOT, 'tsconfig.base.json'),
        compilerOptions: { module: 'esnext', moduleResolution: 'bundler' },
        files: ['objects.ts'],
      }),
    );
    await run(join(ROOT, 'node_modules/.bin/tsc'), ['-p', dir, '--pretty', 'false']);
    return [];
  } catch (error) {
    const output = error instanceof Error && 'stdout' in error ? String(error.stdout) : String(error);
    return output.split('\n').filter((line) => line.includes('error TS'));
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}
