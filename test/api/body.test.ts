import { describe, expect, it } from '@jest/globals';
import { readBody } from '../../api/body.ts';

const rules = { limitBytes: 1_000, optional: false };

function post(body: string | Uint8Array<ArrayBuffer>, contentType: string | null = 'application/json') {
  return new Request('http://test/', {
    method: 'POST',
    body,
    headers: contentType === null ? {} : { 'content-type': contentType },
  });
}

/** A body without a declared length, in chunks. */
function streamed(chunks: number, size: number): Request {
  let left = chunks;
  const body = new ReadableStream({
    pull(controller) {
      if (left-- > 0) controller.enqueue(new TextEncoder().encode('1'.repeat(size)));
      else controller.close();
    },
  });
  return new Request('http://test/', {
    method: 'POST',
    body,
    headers: { 'content-type': 'application/json' },
    duplex: 'half',
  } as RequestInit);
}

describe('reading a body', () => {
  it.each([
    'application/json',
    'application/json; charset=utf-8',
    'Application/JSON;charset="UTF-8"',
    'application/merge-patch+json',
  ])('takes %s', async (type) => {
    await expect(readBody(post('{"a": [1, "ä"]}', type), rules)).resolves.toEqual({ a: [1, 'ä'] });
  });

  it.each([
    null,
    'text/plain',
    'application/json; charset=latin1',
    'application/x-www-form-urlencoded',
    'application/jsonx',
  ])('refuses the content type %s', async (type) => {
    await expect(readBody(post(new TextEncoder().encode('{}'), type), rules)).rejects.toMatchObject({
      code: 'unsupported_media_type',
    });
  });

  it.each(['{', '{"a":1,}', 'nothing', '', '\ufeff{'])('calls %j malformed, without quoting it', async (text) => {
    await expect(readBody(post(text), rules)).rejects.toMatchObject({
      code: 'malformed',
      message: expect.stringMatching(/^The body is (not valid JSON\.|empty)/),
    });
  });

  it('refuses bytes that are no UTF-8', async () => {
    await expect(readBody(post(new Uint8Array([0x22, 0xff, 0x22])), rules)).rejects.toMatchObject({
      code: 'malformed',
    });
  });

  it('refuses a NUL and half a surrogate pair, saying where', async () => {
    await expect(readBody(post(String.raw`{"a": ["x", {"b": "\u0000"}]}`), rules)).rejects.toMatchObject({
      code: 'invalid',
      errors: [{ path: 'a[1].b' }],
    });
    await expect(readBody(post(String.raw`{"c": "\ud800"}`), rules)).rejects.toMatchObject({
      code: 'invalid',
      errors: [{ path: 'c' }],
    });
    await expect(readBody(post(String.raw`{"\u0000": 1}`), rules)).rejects.toMatchObject({ code: 'invalid' });
  });

  it('refuses absurd nesting', async () => {
    await expect(readBody(post('['.repeat(400) + ']'.repeat(400)), rules)).rejects.toMatchObject({ code: 'malformed' });
  });

  it('refuses what is longer than the limit, declared or not, without reading on', async () => {
    await expect(readBody(post(`"${'x'.repeat(1_000)}"`), rules)).rejects.toMatchObject({ code: 'body_too_large' });
    await expect(readBody(streamed(1_000_000, 500), rules)).rejects.toMatchObject({ code: 'body_too_large' });
  });

  it('takes an absent body for {} where it is optional', async () => {
    await expect(
      readBody(new Request('http://test/', { method: 'POST' }), { ...rules, optional: true }),
    ).resolves.toEqual({});
  });
});
