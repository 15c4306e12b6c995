import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { environmentNames } from './environment-names.ts';
import { buildObjects, type KubeObject, kubectlFound, podOf } from './k8s-objects.ts';
import { readDockerfile } from './read-dockerfile.ts';
import { schemaErrors } from './schema-errors.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const stages = readDockerfile(readFileSync(join(ROOT, 'Dockerfile'), 'utf8'));
const APPS = ['api', 'worker', 'dashboard'] as const;
const DIRS = ['base', 'overlays/local', 'overlays/production'] as const;
// Served by every app; the images' tests ask a running sandbox for its own.
const PROBES = ['/healthz', '/readyz', '/__sandbox/health'];
const SECRET_KEYS = ['admin-key', 'redis-url', 'secret-key'];

const found = kubectlFound();
if (!found) process.stderr.write('no kubectl of 1.21 or later on PATH: the manifests in k8s/ are not checked\n');

describe.skipIf(!found).each(DIRS)('k8s/%s', (dir) => {
  let objects: readonly KubeObject[] = [];
  let workloads: readonly KubeObject[] = [];
  beforeAll(() => {
    objects = buildObjects(dir);
    workloads = objects.filter((object) => podOf(object));
  });

  const containers = () =>
    workloads.flatMap((workload) => podOf(workload)?.spec.containers.map((c: KubeObject) => ({ workload, c })) ?? []);

  it('holds nothing that the API would refuse, unknown fields included', async () => {
    expect(objects.length).toBeGreaterThan(10);
    expect(await schemaErrors(objects)).toEqual([]);
  });

  it('gives the apps only variables that they read', () => {
    const config = objects.find(({ kind }) => kind === 'ConfigMap')?.data ?? {};
    const anyApp = new Set(APPS.flatMap((app) => [...environmentNames(app)]));
    expect(Object.keys(config).filter((name) => !anyApp.has(name))).toEqual([]);
    for (const { workload, c } of containers()) {
      const known = environmentNames(workload.metadata.name);
      if (known.size === 0) continue;
      const names: string[] = (c.env ?? []).map(({ name }: { name: string }) => name);
      expect(names.filter((name) => !known.has(name))).toEqual([]);
    }
  });

  it('mounts the keys of the one secret that the variables point to', () => {
    for (const app of APPS) {
      const pod = podOf(object('Deployment', app))?.spec;
      const volume = pod.volumes.find(({ name }: { name: string }) => name === 'secrets').secret;
      const paths: string[] = volume.items.map(({ path }: { path: string }) => path);
      const [container] = pod.containers;
      const { mountPath } = container.volumeMounts.find(({ name }: { name: string }) => name === 'secrets');
      const files = container.env.filter(({ name }: { name: string }) => name.endsWith('_FILE'));
      expect(files.map(({ value }: { value: string }) => value).sort()).toEqual(
        paths.map((path) => `${mountPath}/${path}`).sort(),
      );
      expect(
        volume.items.map(({ key }: { key: string }) => key).filter((k: string) => !SECRET_KEYS.includes(k)),
      ).toEqual([]);
    }
  });

  it('probes paths that are served, on the port that the image listens on', () => {
    for (const { workload, c } of containers()) {
      const stage = stages.find(({ name }) => name === workload.metadata.name);
      const exposed = stage?.instructions
        .find(({ keyword }) => keyword === 'EXPOSE')
        ?.rest.split(' ')
        .map(Number);
      if (!exposed) continue;
      const ports = new Map<string, number>(
        c.ports.map((p: { name: string; containerPort: number }) => [p.name, p.containerPort]),
      );
      for (const probe of [c.startupProbe, c.livenessProbe, c.readinessProbe]) {
        expect(PROBES).toContain(probe.httpGet.path);
        expect(exposed).toContain(ports.get(probe.httpGet.port));
      }
      const own = c.env.find(({ name }: { name: string }) => /^\w+_PORT$/.test(name));
      expect(Number(own.value)).toBe(ports.get('http'));
    }
  });

  it('selects pods that there are, by ports they have', () => {
    const pods = workloads.map((w) => ({ labels: podOf(w)?.metadata.labels, spec: podOf(w)?.spec }));
    const matching = (labels: Record<string, string>) =>
      pods.filter((pod) => Object.entries(labels).every(([k, v]) => pod.labels?.[k] === v));
    for (const service of objects.filter(({ kind }) => kind === 'Service')) {
      const [pod] = matching(service.spec.selector);
      const names = pod?.spec.containers.flatMap((c: KubeObject) => c.ports.map(({ name }: { name: string }) => name));
      for (const { targetPort } of service.spec.ports) expect(names).toContain(targetPort);
    }
    for (const budget of objects.filter(({ kind }) => kind === 'PodDisruptionBudget')) {
      expect(matching(budget.spec.selector.matchLabels)).toHaveLength(1);
    }
    for (const policy of objects.filter(({ kind }) => kind === 'NetworkPolicy')) {
      const labels = policy.spec.podSelector.matchLabels;
      if (labels) expect({ policy: policy.metadata.name, pods: matching(labels).length }).toMatchObject({ pods: 1 });
      if (!policy.spec.ingress) continue;
      const open = matching(labels).flatMap((pod) => pod.spec.containers.flatMap((c: KubeObject) => c.ports));
      const numbers = open.map(({ containerPort }: { containerPort: number }) => containerPort);
      for (const { ports } of policy.spec.ingress) for (const { port } of ports) expect(numbers).toContain(port);
    }
    for (const scaled of objects.filter(({ spec }) => spec?.scaleTargetRef)) {
      expect(object('Deployment', scaled.spec.scaleTargetRef.name)).toBeDefined();
    }
  });

  it('runs every container without rights, on files that nobody can write, with bounds', () => {
    for (const { workload, c } of containers()) {
      expect(podOf(workload)?.spec.securityContext).toMatchObject({
        runAsNonRoot: true,
        seccompProfile: { type: 'RuntimeDefault' },
      });
      expect(c.securityContext).toEqual({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      });
      expect(c.resources).toMatchObject({
        requests: { memory: expect.any(String) },
        limits: { memory: expect.any(String) },
      });
    }
  });

  it('gives each app longer to stop than it drains', () => {
    const grace = (app: string) => podOf(object('Deployment', app))?.spec.terminationGracePeriodSeconds;
    // Seconds before the signal, the longest drain, and what closers get after it.
    expect(grace('api')).toBeGreaterThan(5 + 25 + 4);
    expect(grace('worker')).toBeGreaterThan(5 + 12 + 4);
    expect(grace('dashboard')).toBeGreaterThan(5 + 5 + 4);
  });

  function object(kind: string, name: string): KubeObject {
    const wanted = objects.find((o) => o.kind === kind && o.metadata.name === name);
    if (!wanted) throw new Error(`there is no ${kind} ${name}`);
    return wanted;
  }
});

it('gives the Prometheus operator the very rules that Prometheus gets', () => {
  const read = (file: string) => parse(readFileSync(join(ROOT, file), 'utf8'));
  expect(read('k8s/components/prometheus-operator/rules.yaml').spec.groups).toEqual(
    read('ops/prometheus/pinegate.rules.yml').groups,
  );
});

describe('the check of schemas', () => {
  const deployment = (fields: object) =>
    ({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'x', labels: {} },
      spec: {
        selector: { matchLabels: { a: 'b' } },
        template: { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'c', image: 'i', ...fields }] } },
      },
    }) as KubeObject;

  it('refuses a field that does not exist', async () => {
    expect(await schemaErrors([deployment({ livenesProbe: {} })])).toEqual([expect.stringContaining('livenesProbe')]);
  });

  it('refuses a value of the wrong type', async () => {
    const errors = await schemaErrors([deployment({ ports: [{ containerPort: 'http' }] })]);
    expect(errors.join('\n')).toContain('containerPort');
  });

  it('refuses a kind that does not exist', async () => {
    expect(
      await schemaErrors([{ apiVersion: 'v1', kind: 'Deploiment', metadata: { name: 'x', labels: {} } }]),
    ).not.toEqual([]);
  });
});
