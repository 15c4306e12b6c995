const PINE_ID = /^PUB;[0-9a-f]{32}$/;

/** Whether the text is a pine id: `PUB;` and 32 lower-case hex digits. */
export function isPineId(text: string): boolean {
  return PINE_ID.test(text);
}
