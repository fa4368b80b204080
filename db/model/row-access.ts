import { type EntityManager, type FilterQuery, LockMode } from '@mikro-orm/postgresql';
import { z } from 'zod';
import type { Actor } from '../access/actor.ts';
import type { Resource } from './define-resource.ts';
import type { RecordRow } from './entity.ts';
import { Problem } from './problem.ts';

const identifier = z.uuid();

/** The rows that this caller may read; Problem `forbidden` when there are none by role. */
export function readFilter(actor: Actor, resource: Resource): FilterQuery<RecordRow> {
  const access = resource.read(actor);
  if (access === false) throw new Problem('forbidden', `Your role may not read ${resource.path}.`);
  return access === true ? {} : access;
}

/** One row within the caller's filter, else Problem `not_found`: a foreign row looks like none. */
export async function findVisible(
  em: EntityManager,
  actor: Actor,
  resource: Resource,
  id: string,
  { deleted = false } = {},
): Promise<RecordRow> {
  const within = readFilter(actor, resource);
  if (!identifier.safeParse(id).success) throw notFound(resource, id);
  const where = { $and: [{ id }, ...(deleted ? [] : [{ deletedAt: null }]), within] } as FilterQuery<RecordRow>;
  const row = await em.findOne(resource.definition.entity, where);
  if (!row) throw notFound(resource, id);
  return row;
}

/** Invisible is `not_found`, visible but not writable is `forbidden`; the row stays locked until the transaction ends. */
export async function findWritable(
  em: EntityManager,
  actor: Actor,
  resource: Resource,
  id: string,
  { deleted = false } = {},
): Promise<RecordRow> {
  await findVisible(em, actor, resource, id, { deleted });
  const access = resource.write(actor);
  if (access === false) throw forbidden(resource);
  const row = await em.findOne(
    resource.definition.entity,
    { id },
    { lockMode: LockMode.PESSIMISTIC_WRITE, refresh: true },
  );
  // Another write may have removed it while this one waited for the lock.
  if (!row || (!deleted && row.deletedAt !== null)) throw notFound(resource, id);
  if (access !== true) await refuseOutside(em, resource, id, access);
  return row;
}

/** Problem `forbidden` unless the row lies within the filter of what the caller may write. */
export async function refuseOutside(
  em: EntityManager,
  resource: Resource,
  id: string,
  filter: FilterQuery<RecordRow>,
): Promise<void> {
  const within = await em.count(resource.definition.entity, { $and: [{ id }, filter] } as FilterQuery<RecordRow>);
  if (within === 0) throw new Problem('forbidden', `This ${resource.title} is not one that your role may write.`);
}

export function forbidden(resource: Resource): Problem {
  return new Problem('forbidden', `Your role may not write ${resource.path}.`);
}

function notFound(resource: Resource, id: string): Problem {
  return new Problem('not_found', `There is no ${resource.title} ${id}.`);
}
