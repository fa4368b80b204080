import { z } from 'zod';
import type { Actor } from '../access/actor.ts';
import { parsePayload, type Refusal } from './messages.ts';

/** Second argument of every Update from the API or the relay: which stored command it is and who sent it when. */
export interface Envelope {
  readonly commandId: string;
  /** Receipt of the command at the API, UTC: the business instant, whenever it is delivered. */
  readonly receivedAt: string;
  readonly actor: Actor;
}

/** A message as an activity applies it. */
export interface AppliedMessage {
  readonly name: string;
  /** The same for every repetition of one message: the command's ID, else `signal:{run}:{n}` or `update:{run}:{id}`. */
  readonly key: string;
  /** Without its kept fields when it comes with a command; the activity reads them from the ledger. */
  readonly payload: Readonly<Record<string, unknown>>;
  /** Null for a Signal, and for an Update from somebody with only the Temporal CLI. */
  readonly commandId: string | null;
  readonly actor: Actor;
  /** UTC instant, ISO 8601: receipt at the API, or the time of the workflow for what came another way. */
  readonly receivedAt: string;
}

const names = z.array(z.string());
const actorSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('user'), organizationId: z.uuid(), userId: z.uuid(), roles: names }),
  z.strictObject({ kind: z.literal('service'), organizationId: z.uuid(), clientId: z.string(), scopes: names }),
  z.strictObject({ kind: z.literal('process'), organizationId: z.uuid(), process: z.string(), recordId: z.uuid() }),
  z.strictObject({ kind: z.literal('temporal'), organizationId: z.uuid() }),
]);
const envelopeSchema = z.strictObject({ commandId: z.uuid(), receivedAt: z.iso.datetime(), actor: actorSchema });

/** Reads the envelope of the Update `name`: strict, so that nothing else travels with a command. */
export function parseEnvelope(name: string, envelope: unknown): { payload: Envelope } | { refusal: Refusal } {
  return parsePayload(`${name}'s envelope`, envelopeSchema, envelope);
}
