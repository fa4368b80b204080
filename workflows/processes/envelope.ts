import { z } from 'zod';
import { actorSchema, type Actor } from '../access/actor.ts';

/** Second argument of every Update from the API or the relay: which stored command it is and who sent it when. */
export const envelopeSchema = z.strictObject({
  commandId: z.uuid(),
  /** Receipt of the command at the API: the business instant, whenever it is delivered. */
  receivedAt: z.iso.datetime(),
  actor: actorSchema,
});

export type Envelope = z.output<typeof envelopeSchema>;

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
