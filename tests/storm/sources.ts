import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';

export const ROOT = resolve(import.meta.dirname, '../..');

/** A text in a source file that is another one in a storm. */
export interface SourcePatch {
  /** From the root of the repository. */
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

/**
 * Whole texts of the patched files by path, for `replace-sources.ts`.
 * @param texts files that are replaced as a whole before the patches, by path from the root
 * Throws where a patch does not find its text exactly once: the source has moved on, and so must the patch.
 */
export function patchedSources(
  patches: readonly SourcePatch[],
  texts: Readonly<Record<string, string>> = {},
): Record<string, string> {
  const sources: Record<string, string> = {};
  for (const [file, text] of Object.entries(texts)) sources[resolve(ROOT, file)] = text;
  for (const { file, find, replace } of patches) {
    const path = resolve(ROOT, file);
    const text = sources[path] ?? readFileSync(path, 'utf8');
    const found = text.split(find).length - 1;
    if (found !== 1) throw new Error(`${file} has the text of a patch ${found} times: ${find}`);
    sources[path] = text.replace(find, () => replace);
  }
  return sources;
}
