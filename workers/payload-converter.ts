import { defaultPayloadConverter, type Payload, type PayloadConverter } from '@temporalio/common';
import { undecodable } from '../workflows/processes/undecodable.ts';

/**
 * The worker's payload converter. A payload that cannot be decoded (somebody's `temporal workflow signal --input '{'`)
 * would fail the workflow task for ever; here it becomes a marked value, which handlers record and ignore.
 */
export const payloadConverter: PayloadConverter = {
  toPayload(value) {
    return defaultPayloadConverter.toPayload(value);
  },
  fromPayload<T>(payload: Payload): T {
    try {
      return defaultPayloadConverter.fromPayload<T>(payload);
    } catch (error) {
      return undecodable(String(error)) as T;
    }
  },
};
