import { type EntityManager, LockMode } from '@mikro-orm/postgresql';
import type { EntityDefinition, RowOf } from './entity.ts';

/** One row of the transaction's organisation, deleted ones included; null when there is none. */
export async function findRow<E extends EntityDefinition>(
  em: EntityManager,
  { entity }: E,
  id: string,
): Promise<RowOf<E> | null> {
  return (await em.findOne(entity, { id })) as RowOf<E> | null;
}

/** The same, read anew and locked until the transaction ends. */
export async function lockRow<E extends EntityDefinition>(
  em: EntityManager,
  { entity }: E,
  id: string,
): Promise<RowOf<E> | null> {
  const options = { lockMode: LockMode.PESSIMISTIC_WRITE, refresh: true } as const;
  return (await em.findOne(entity, { id }, options)) as RowOf<E> | null;
}
