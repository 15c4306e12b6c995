import { parseConfig as parseApi } from '../../apps/api/src/parse-config.ts';
import { parseConfig as parseDashboard } from '../../apps/dashboard/src/parse-config.ts';
import { parseConfig as parseSandbox } from '../../apps/sandbox/src/config.ts';
import { parseConfig as parseWorker } from '../../apps/worker/src/parse-config.ts';

const PARSERS: Readonly<Record<string, (env: Readonly<Record<string, string | undefined>>) => unknown>> = {
  api: parseApi,
  dashboard: parseDashboard,
  sandbox: parseSandbox,
  worker: parseWorker,
};

/** Which variables an app looks at, found by watching it look. */
export function environmentNames(app: string): ReadonlySet<string> {
  const names = new Set<string>();
  const watch = (name: string | symbol) => void names.add(String(name));
  const env = new Proxy<Record<string, string | undefined>>(
    {},
    {
      get: (_, name) => watch(name),
      has: (_, name) => watch(name) ?? false,
    },
  );
  try {
    PARSERS[app]?.(env);
  } catch {
    // Nothing is set: it refuses, but it has looked.
  }
  return names;
}
