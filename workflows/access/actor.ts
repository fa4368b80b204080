import { z } from 'zod';

/** Who does something, as it travels with a command into a process: identifiers only, never names or addresses. */
export const actorSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('user'),
    organizationId: z.uuid(),
    userId: z.uuid(),
    roles: z.array(z.string()).readonly(),
  }),
  z.strictObject({
    kind: z.literal('service'),
    organizationId: z.uuid(),
    clientId: z.string(),
    scopes: z.array(z.string()).readonly(),
  }),
  z.strictObject({ kind: z.literal('process'), organizationId: z.uuid(), process: z.string(), recordId: z.uuid() }),
  z.strictObject({ kind: z.literal('temporal'), organizationId: z.uuid() }),
]);

/** A person with a token, a service account, another process, or somebody with only the Temporal CLI or UI. */
export type Actor = z.output<typeof actorSchema>;
