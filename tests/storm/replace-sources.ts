// Preloaded (node --import) into an app under test: files named in STORM_SOURCES (JSON, path → text) are read as these texts.
// This is how a storm writes its journal and drops a rule: the app itself is started as always and has no switch.
import fs from 'node:fs';
import { registerHooks, syncBuiltinESMExports } from 'node:module';
import { fileURLToPath } from 'node:url';

const file = process.env.STORM_SOURCES;
const sources = new Map(
  Object.entries(file ? (JSON.parse(fs.readFileSync(file, 'utf8')) as Record<string, string>) : {}),
);

const read = fs.readFileSync;
fs.readFileSync = ((path: fs.PathOrFileDescriptor, ...rest: []) => {
  const name = path instanceof URL ? fileURLToPath(path) : String(path);
  return (name.endsWith('.lua') ? sources.get(name) : undefined) ?? read(path, ...rest);
}) as typeof fs.readFileSync;
syncBuiltinESMExports();

registerHooks({
  load(url, context, nextLoad) {
    const text = url.startsWith('file:') ? sources.get(fileURLToPath(url)) : undefined;
    if (text === undefined) return nextLoad(url, context);
    return { format: 'module-typescript', source: text, shortCircuit: true };
  },
});
