import { createHash } from 'node:crypto';

/** No row is longer, in bytes. */
export const LONGEST_ROW = 16_384;

/** What `takeLine` answers in place of a line that is longer than {@link LONGEST_ROW}. */
export const TOO_LONG = Symbol('too long');

const NEWLINE = 0x0a;
const BYTE_ORDER_MARK = Buffer.from([0xef, 0xbb, 0xbf]);

/**
 * The part of a byte stream that is not read yet. Holds no more than one piece of it and one row, and knows the hash of all that was read,
 * which is the same whatever the pieces were.
 */
export class ByteWindow {
  bytes: Buffer = Buffer.alloc(0);
  /** First byte that is not read. */
  position = 0;
  /** No more bytes will come. */
  ended = false;
  #hashedTo = 0;
  #started = false;
  #skipping = false;
  readonly #hash = createHash('sha256');

  feed(bytes: Buffer): void {
    this.#hashRead();
    const rest = this.bytes.subarray(this.position);
    this.bytes = rest.length === 0 ? bytes : Buffer.concat([rest, bytes]);
    this.position = 0;
    this.#hashedTo = 0;
  }

  end(): void {
    this.ended = true;
  }

  /** SHA-256 of all bytes read so far, base64url. */
  digest(): string {
    this.#hashRead();
    return this.#hash.copy().digest('base64url');
  }

  /** In the middle of a line that is too long; only `takeLine` may go on. */
  get skipping(): boolean {
    return this.#skipping;
  }

  /** Steps over a byte order mark at the very start. False while it is not clear whether there is one. */
  start(): boolean {
    if (this.#started) return true;
    if (this.bytes.length < BYTE_ORDER_MARK.length && !this.ended) return false;
    this.#started = true;
    if (this.bytes.subarray(0, BYTE_ORDER_MARK.length).equals(BYTE_ORDER_MARK)) this.position = BYTE_ORDER_MARK.length;
    return true;
  }

  /** The next line without its line end, or null when it is not complete yet or there is none. */
  takeLine(): string | typeof TOO_LONG | null {
    if (this.#skipping) return this.#skipLine();
    const from = this.position;
    const newline = this.bytes.indexOf(NEWLINE, from);
    if (newline === -1) {
      if (this.bytes.length - from > LONGEST_ROW) return this.#skipLine();
      if (!this.ended || from === this.bytes.length) return null;
      this.position = this.bytes.length;
      return this.bytes.toString('utf8', from);
    }
    this.position = newline + 1;
    if (newline - from > LONGEST_ROW) return TOO_LONG;
    const to = newline > from && this.bytes[newline - 1] === 0x0d ? newline - 1 : newline;
    return this.bytes.toString('utf8', from, to);
  }

  // Reads on to the end of the line without holding it.
  #skipLine(): typeof TOO_LONG | null {
    const newline = this.bytes.indexOf(NEWLINE, this.position);
    this.position = newline === -1 ? this.bytes.length : newline + 1;
    this.#skipping = newline === -1 && !this.ended;
    return this.#skipping ? null : TOO_LONG;
  }

  #hashRead(): void {
    if (this.position > this.#hashedTo) this.#hash.update(this.bytes.subarray(this.#hashedTo, this.position));
    this.#hashedTo = this.position;
  }
}
