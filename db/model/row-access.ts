import { type EntityManager, type FilterQuery, LockMode } from '@mikro-orm/postgresql';
import { z } from 'zod';
import type { Actor } from '../access/actor.ts';
import type { Access, Resource } from './define-resource.ts';
import type { RecordRow } from './entity.ts';
import { Problem } from './problem.ts';
import type { JsonRow, ReadRows, RowQuery } from './rows.ts';

const identifier = z.uuid();

/** The rows that this caller may read; Problem `forbidden` when there are none by role. */
export function readFilter(actor: Actor, resource: Resource): FilterQuery<RecordRow> {
  const access = resource.read(actor);
  if (access === false) throw new Problem('forbidden', `Your role may not read ${resource.path}.`);
  return access === true ? {} : access;
}

interface Visibility {
  /** Also when it is removed. */
  deleted?: boolean;
}

/** One row within the caller's filter, to be worked on, else Problem `not_found`: a foreign row looks like none. */
export async function findVisible(
  em: EntityManager,
  actor: Actor,
  resource: Resource,
  id: string,
  visibility: Visibility = {},
): Promise<RecordRow> {
  const where = { $and: visible(actor, resource, id, visibility) } as FilterQuery<RecordRow>;
  const row = await em.findOne(resource.definition.entity, where);
  if (!row) throw notFound(resource, id);
  return row;
}

/** The same, to be shown. */
export async function readVisible(
  read: ReadRows,
  actor: Actor,
  resource: Resource,
  id: string,
  { properties, ...visibility }: Visibility & Pick<RowQuery, 'properties'>,
): Promise<JsonRow> {
  const [row] = await read(resource, { where: visible(actor, resource, id, visibility), properties });
  if (!row) throw notFound(resource, id);
  return row;
}

function visible(
  actor: Actor,
  resource: Resource,
  id: string,
  { deleted = false }: Visibility,
): FilterQuery<RecordRow>[] {
  const within = readFilter(actor, resource);
  if (!identifier.safeParse(id).success) throw notFound(resource, id);
  return [{ id }, ...(deleted ? [] : [{ deletedAt: null }]), within] as FilterQuery<RecordRow>[];
}

/** What a caller wants to do with a row: which of the resource's rules is asked. */
export type Change = 'write' | 'remove';

/**
 * Invisible is `not_found`, visible but not to be changed is `forbidden`; the row stays locked until the transaction ends.
 */
export async function findWritable(
  em: EntityManager,
  actor: Actor,
  resource: Resource,
  id: string,
  { change = 'write', deleted = false }: { change?: Change; deleted?: boolean } = {},
): Promise<RecordRow> {
  await findVisible(em, actor, resource, id, { deleted });
  const access = resource[change](actor);
  if (access === false) throw forbidden(resource, change);
  const row = await em.findOne(
    resource.definition.entity,
    { id },
    { lockMode: LockMode.PESSIMISTIC_WRITE, refresh: true },
  );
  // Another write may have removed it while this one waited for the lock.
  if (!row || (!deleted && row.deletedAt !== null)) throw notFound(resource, id);
  if (access !== true) await refuseOutside(em, resource, id, access, change);
  return row;
}

/** Problem `forbidden` unless the row lies within the filter of what the caller may change. */
export async function refuseOutside(
  em: EntityManager,
  resource: Resource,
  id: string,
  filter: FilterQuery<RecordRow>,
  change: Change = 'write',
): Promise<void> {
  if (!(await isWithin(em, resource, id, filter)))
    throw new Problem('forbidden', `This ${resource.title} is not one that your role may ${change}.`);
}

/** Whether a row is one of those that an access rule names. */
export async function isWithin(em: EntityManager, resource: Resource, id: string, access: Access): Promise<boolean> {
  if (typeof access === 'boolean') return access;
  return (await em.count(resource.definition.entity, { $and: [{ id }, access] } as FilterQuery<RecordRow>)) > 0;
}

/** The Problem of a role that may change no row of a resource. */
export function forbidden(resource: Resource, change: Change = 'write'): Problem {
  return new Problem('forbidden', `Your role may not ${change} ${resource.path}.`);
}

function notFound(resource: Resource, id: string): Problem {
  return new Problem('not_found', `There is no ${resource.title} ${id}.`);
}
