/** A list kept in order: insertion and removal stay cheap with a million items. No two items compare as equal. */
export type SortedList<T, P = T> = {
  readonly size: number;
  insert(item: T): void;
  remove(item: T): void;
  /** Ascending, everything beyond the position; everything for null. */
  after(position: P | null): Generator<T>;
  /** Descending, everything below the position; everything for null. */
  before(position: P | null): Generator<T>;
};

const CHUNK = 512;

/** `P` is what positions are told by; an item is one too. */
export function buildSortedList<T extends P, P>(
  compare: (a: P, b: P) => number,
  items: Iterable<T> = [],
): SortedList<T, P> {
  const sorted = [...items].sort(compare);
  const chunks: T[][] = [];
  let size = sorted.length;
  for (let at = 0; at < size; at += CHUNK) chunks.push(sorted.slice(at, at + CHUNK));

  /** Where the first item that is not below the position stands: `[chunk, index]`. */
  function locate(position: P): [number, number] {
    const chunk = firstIndex(chunks.length, (i) => compare(chunks[i]?.at(-1) as T, position) >= 0);
    const inside = chunks[chunk] ?? [];
    return [chunk, firstIndex(inside.length, (i) => compare(inside[i] as T, position) >= 0)];
  }

  return {
    get size() {
      return size;
    },
    insert(item) {
      size++;
      let [at, index] = locate(item);
      if (at === chunks.length && at > 0) {
        at--;
        index = chunks[at]?.length ?? 0;
      }
      const chunk = chunks[at];
      if (!chunk) {
        chunks.push([item]);
        return;
      }
      chunk.splice(index, 0, item);
      if (chunk.length > 2 * CHUNK) chunks.splice(at + 1, 0, chunk.splice(CHUNK));
    },
    remove(item) {
      const [at, index] = locate(item);
      const chunk = chunks[at];
      if (!chunk || compare(chunk[index] as T, item) !== 0) return;
      size--;
      chunk.splice(index, 1);
      if (chunk.length === 0) chunks.splice(at, 1);
    },
    *after(position) {
      const [from, index] = position === null ? [0, 0] : locate(position);
      for (let at = from; at < chunks.length; at++) {
        const chunk = chunks[at] as T[];
        for (let i = at === from ? index : 0; i < chunk.length; i++) {
          const item = chunk[i] as T;
          if (position === null || compare(item, position) > 0) yield item;
        }
      }
    },
    *before(position) {
      const [from, index] = position === null ? [chunks.length, 0] : locate(position);
      for (let at = Math.min(from, chunks.length - 1); at >= 0; at--) {
        const chunk = chunks[at] as T[];
        for (let i = at === from ? index - 1 : chunk.length - 1; i >= 0; i--) yield chunk[i] as T;
      }
    },
  };
}

function firstIndex(length: number, holds: (index: number) => boolean): number {
  let low = 0;
  let high = length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (holds(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}
