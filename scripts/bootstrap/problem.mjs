/** Something the user can mend; its message is all that is shown. */
export class Problem extends Error {}

/** @param {string} text */
export function say(text) {
  process.stderr.write(`[bootstrap] ${text}\n`);
}
