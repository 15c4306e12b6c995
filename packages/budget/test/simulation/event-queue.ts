/** Something that happens at `t`, seconds. */
export type Timed = { readonly t: number };

/** Events in the order of their times: a binary heap. */
export type EventQueue<E extends Timed> = { push(event: E): void; pop(): E | undefined };

export function createEventQueue<E extends Timed>(): EventQueue<E> {
  const heap: E[] = [];
  const at = (i: number) => (heap[i] as E).t;
  return {
    push(event) {
      let i = heap.push(event) - 1;
      while (i > 0 && at((i - 1) >> 1) > event.t) {
        heap[i] = heap[(i - 1) >> 1] as E;
        i = (i - 1) >> 1;
      }
      heap[i] = event;
    },
    pop() {
      const first = heap[0];
      const last = heap.pop();
      if (last === undefined || heap.length === 0) return first;
      let i = 0;
      for (let child = 1; child < heap.length; child = 2 * i + 1) {
        if (child + 1 < heap.length && at(child + 1) < at(child)) child += 1;
        if (at(child) >= last.t) break;
        heap[i] = heap[child] as E;
        i = child;
      }
      heap[i] = last;
      return first;
    },
  };
}
