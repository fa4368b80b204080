import { describe, expect, it } from '@jest/globals';
import { payloadConverter } from '../../../workers/payload-converter.ts';
import { undecodableReason } from '../../../workflows/processes/undecodable.ts';

const payload = (encoding: string, text: string) => ({
  metadata: { encoding: Buffer.from(encoding) },
  data: Buffer.from(text),
});

describe('the payload converter', () => {
  it('converts as Temporal does', () => {
    for (const value of [{ channel: 'call' }, [1, 'two'], null, undefined]) {
      expect(payloadConverter.fromPayload(payloadConverter.toPayload(value))).toEqual(value);
    }
  });

  it('marks what cannot be decoded', () => {
    expect(undecodableReason(payloadConverter.fromPayload(payload('json/plain', '{"a": ')))).toMatch(/JSON/);
    expect(undecodableReason(payloadConverter.fromPayload(payload('binary/encrypted', 'x')))).toBe(
      'ValueError: Unknown encoding: binary/encrypted',
    );
  });

  it('marks nothing else', () => {
    for (const value of [undefined, null, 'text', {}, { channel: 'call' }]) expect(undecodableReason(value)).toBeNull();
  });
});
