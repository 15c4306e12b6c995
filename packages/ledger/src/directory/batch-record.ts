import type { BatchRecord } from '../directory-types.ts';
import type { LaneClass } from '../types.ts';

const PART = 'part:';

/** A batch from the fields and values of its hash; of two with one name the later counts. */
export function parseBatch(id: string, fields: readonly string[]): BatchRecord {
  const values = new Map<string, string>();
  for (let i = 0; i < fields.length; i += 2) values.set(fields[i] as string, fields[i + 1] as string);
  return {
    id,
    source: values.get('source') ?? '',
    lane: (values.get('lane') as LaneClass | undefined) ?? null,
    accounts: [...values.keys()]
      .filter((name) => name.startsWith(PART))
      .map((name) => name.slice(PART.length))
      .sort(),
    upload: values.get('upload') as BatchRecord['upload'],
    acceptRevokes: values.get('accept-revokes') !== '0',
    cancelled: values.get('cancelled') === '1',
    rows: Number(values.get('rows') ?? 0),
    rejected: Number(values.get('rejected') ?? 0),
    createdAt: Number(values.get('created-at')),
  };
}
