import { execFileSync } from 'node:child_process';
import { resolve } from 'node:path';
import { parseAllDocuments } from 'yaml';

/** A Kubernetes object, read field by field. */
export type KubeObject = {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly labels: Readonly<Record<string, string>> };
  // biome-ignore lint/suspicious/noExplicitAny: its schema is checked by the API's own types, not by ours.
  readonly [field: string]: any;
};

const ROOT = resolve(import.meta.dirname, '../..');

/** Whether there is a kubectl whose kustomize knows components (1.21 and later). */
export function kubectlFound(): boolean {
  try {
    const told = JSON.parse(execFileSync('kubectl', ['version', '--client', '-o', 'json']).toString());
    const { major, minor } = told.clientVersion;
    return Number(major) > 1 || Number.parseInt(minor, 10) >= 21;
  } catch {
    return false;
  }
}

/** Every object that `kubectl kustomize` makes of a directory below k8s/. */
export function buildObjects(dir: string): readonly KubeObject[] {
  const text = execFileSync('kubectl', ['kustomize', resolve(ROOT, 'k8s', dir)], { maxBuffer: 16 * 1024 * 1024 });
  return parseAllDocuments(text.toString()).map((document) => document.toJS() as KubeObject);
}

/** The pod template of a workload, or undefined. */
export function podOf(object: KubeObject): KubeObject | undefined {
  return object.kind === 'Deployment' || object.kind === 'StatefulSet' || object.kind === 'Job'
    ? object.spec.template
    : undefined;
}
