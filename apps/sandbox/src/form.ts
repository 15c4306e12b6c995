/** The fields of a body; a repeated field counts once, with its last value. */
export type Form = Readonly<Record<string, string>>;

/**
 * Reads `application/x-www-form-urlencoded` and `multipart/form-data` (text fields, no files). Null for anything else.
 */
export function parseForm(contentType: string | undefined, body: Buffer): Form | null {
  if (body.length === 0) return {};
  const type = contentType ?? '';
  if (type.startsWith('application/x-www-form-urlencoded')) {
    return Object.fromEntries(new URLSearchParams(body.toString()));
  }
  if (!type.startsWith('multipart/form-data')) return null;
  const boundary = /boundary="?([^";]+)"?/i.exec(type)?.[1];
  return boundary === undefined ? null : parseMultipart(body.toString(), boundary);
}

function parseMultipart(text: string, boundary: string): Form | null {
  const parts = `\r\n${text}`.split(`\r\n--${boundary}`);
  if (parts.length < 2 || !parts.at(-1)?.startsWith('--')) return null;
  const fields: [string, string][] = [];
  for (const part of parts.slice(1, -1)) {
    const split = part.indexOf('\r\n\r\n');
    const name = /name="([^"]*)"/i.exec(part.slice(0, split))?.[1];
    if (split < 0 || name === undefined) return null;
    fields.push([name, part.slice(split + 4)]);
  }
  return Object.fromEntries(fields);
}
