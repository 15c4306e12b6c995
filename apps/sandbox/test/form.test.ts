import { describe, expect, it } from 'vitest';
import { parseForm } from '../src/form.ts';

const multipart = async (fields: Record<string, string>) => {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.append(name, value);
  const response = new Response(form);
  return { type: response.headers.get('content-type') ?? '', body: Buffer.from(await response.arrayBuffer()) };
};

describe('a form', () => {
  it('is read from a urlencoded body', () => {
    const body = Buffer.from('pine_id=PUB%3Babc&username_recip=a+b&username_recip=c');
    expect(parseForm('application/x-www-form-urlencoded; charset=UTF-8', body)).toEqual({
      pine_id: 'PUB;abc',
      username_recip: 'c',
    });
  });

  it('is read from a multipart body', async () => {
    const fields = { pine_id: 'PUB;abc', username_recip: 'bob', empty: '', lines: 'a\r\nb' };
    const { type, body } = await multipart(fields);
    expect(parseForm(type, body)).toEqual(fields);
  });

  it('is empty without a body, and none for another type or a broken multipart', async () => {
    const { type, body } = await multipart({ pine_id: 'x' });
    expect(parseForm(undefined, Buffer.alloc(0))).toEqual({});
    expect(parseForm('application/json', Buffer.from('{}'))).toBeNull();
    expect(parseForm(undefined, Buffer.from('a=b'))).toBeNull();
    expect(parseForm('multipart/form-data', body)).toBeNull();
    expect(parseForm(type, body.subarray(0, body.length - 10))).toBeNull();
  });
});
