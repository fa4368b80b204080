import { z } from 'zod';
import type { BulkOperation } from '../../db/record-writer.ts';
import { parseOrRefuse } from '../../db/model/schemas.ts';
import { uuid } from '../../workflows/processes/record-id.ts';
import { mostOperations } from './record-documents.ts';

const operation = z.discriminatedUnion('method', [
  z.strictObject({ method: z.literal('create'), body: z.unknown() }),
  z.strictObject({
    method: z.literal('update'),
    id: uuid(),
    version: z.int().min(1),
    body: z.unknown(),
  }),
  z.strictObject({ method: z.literal('remove'), id: uuid(), version: z.int().min(1) }),
]);

const bulkBody = z.strictObject({
  operations: z.array(operation).min(1).max(mostOperations, `must hold at most ${mostOperations} operations`),
});

/** The operations of a bulk request, their bodies not yet checked. Throws Problem `invalid`. */
export function readBulk(body: unknown): BulkOperation[] {
  return parseOrRefuse(bulkBody, body, 'This bulk request').operations;
}
