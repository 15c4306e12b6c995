const FREE = -1;

/**
 * The open streams of an HTTP/2 session by their id, as far as Node asks a Map for them. Its places are used again and again, so that
 * nothing of a stream stays behind when it is over.
 */
export class OpenStreams<S> {
  #ids: number[] = [];
  #streams: (S | undefined)[] = [];
  /** Places in use; those behind are free. */
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get(id: number): S | undefined {
    const at = this.#ids.indexOf(id);
    return at < 0 ? undefined : this.#streams[at];
  }

  set(id: number, stream: S): this {
    const known = this.#ids.indexOf(id);
    const at = known < 0 ? this.#size++ : known;
    this.#ids[at] = id;
    this.#streams[at] = stream;
    return this;
  }

  delete(id: number): boolean {
    const at = this.#ids.indexOf(id);
    if (at < 0) return false;
    const last = --this.#size;
    this.#ids[at] = this.#ids[last] as number;
    this.#streams[at] = this.#streams[last];
    // Not made shorter: an array that shrinks and grows leaves its old places behind, with what is in them.
    this.#ids[last] = FREE;
    this.#streams[last] = undefined;
    return true;
  }

  /** Of those that are open now, whatever the visits open and close. */
  forEach(visit: (stream: S, id: number) => void): void {
    const ids = this.#ids.slice(0, this.#size);
    const streams = this.#streams.slice(0, this.#size);
    for (const [i, id] of ids.entries()) visit(streams[i] as S, id);
  }
}
