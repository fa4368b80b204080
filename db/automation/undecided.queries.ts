import type { EntityManager, FilterQuery } from '@mikro-orm/postgresql';
import { z } from 'zod';
import { actorLabel, type Actor } from '../access/actor.ts';
import type { Resource } from '../model/define-resource.ts';
import type { RecordRow } from '../model/entity.ts';
import { findStartCommand } from './ledger.queries.ts';

const identifier = z.uuid();

/** A record that was accepted and not decided yet: only the ledger knows it. Its sender may ask, and whoever reads all. */
export async function isUndecided(
  em: EntityManager,
  actor: Actor,
  { resource, process }: { resource: Resource; process: string },
  id: string,
): Promise<boolean> {
  if (!identifier.safeParse(id).success) return false;
  if ((await em.count(resource.definition.entity, { id } as FilterQuery<RecordRow>)) > 0) return false;
  const command = await findStartCommand(em, process, id);
  return command !== null && (resource.read(actor) === true || actorLabel(command.actor) === actorLabel(actor));
}
