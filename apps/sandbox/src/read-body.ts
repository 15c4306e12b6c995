import type { Readable } from 'node:stream';

/** The whole body; null where the client broke off or sends more than `most` bytes. */
export function readBody(source: Readable, most: number): Promise<Buffer | null> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let length = 0;
    source.on('data', (chunk: Buffer) => {
      length += chunk.length;
      if (length <= most) chunks.push(chunk);
    });
    source.on('end', () => {
      if (length > most) resolve(null);
      else resolve(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks));
    });
    source.on('error', () => resolve(null));
    source.on('close', () => resolve(null));
  });
}
