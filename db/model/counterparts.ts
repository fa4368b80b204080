import type { FilterQuery } from '@mikro-orm/postgresql';
import { v7 as uuidv7 } from 'uuid';
import type { Counterpart, Resource } from './define-resource.ts';
import type { RecordRow } from './entity.ts';
import { Problem } from './problem.ts';
import type { RecordJson } from './record-json.ts';
import { forbidden } from './row-access.ts';
import {
  createRow,
  type ExpectedVersion,
  type Outcome,
  removeRow,
  restoreRow,
  type RowWrite,
  saveRow,
  updateRow,
} from './row-writes.ts';

// The four writes of a record together with its counterpart, where its resource names one: see `ResourceOptions`.

/** Makes a record under the key of its counterpart (the one with the same value of `match`), else under a new one, or `id`. */
export async function createRecord(rowWrite: RowWrite, body: unknown, id = uuidv7()): Promise<Outcome> {
  const { counterpart } = rowWrite.resource;
  if (!counterpart) return createRow(rowWrite, body, id);
  const known = await findMatch(rowWrite, counterpart, body);
  const outcome = await createRow(rowWrite, body, known?.id ?? id);
  if (!known) await createCounterpart(rowWrite, counterpart, outcome.body);
  return outcome;
}

/** Changes a record, and in its counterpart what they have in common. */
export async function updateRecord(
  rowWrite: RowWrite,
  id: string,
  version: ExpectedVersion,
  change: { body: unknown; whole: boolean },
): Promise<Outcome> {
  const outcome = await updateRow(rowWrite, id, version, change);
  const { counterpart } = rowWrite.resource;
  const given = Object.keys(change.body as RecordJson).filter((property) => counterpart?.properties.includes(property));
  if (!counterpart || given.length === 0) return outcome;
  const row = await rowWrite.em.findOne(counterpart.resource.definition.entity, { id });
  const values = Object.fromEntries(given.map((property) => [property, outcome.body?.[property]]));
  if (!row) await createCounterpart(rowWrite, counterpart, outcome.body);
  else if (row.deletedAt === null) await saveRow(ofCounterpart(rowWrite, counterpart), row, values, 'updated');
  return outcome;
}

/** Hides a record and its counterpart. */
export async function removeRecord(rowWrite: RowWrite, id: string, version: ExpectedVersion): Promise<Outcome> {
  const outcome = await removeRow(rowWrite, id, version);
  const { counterpart } = rowWrite.resource;
  if (counterpart && (await exists(rowWrite, counterpart.resource, { id, deletedAt: null })))
    await removeRow(ofCounterpart(rowWrite, counterpart), id, '*');
  return outcome;
}

/** Brings back a record and its counterpart. */
export async function restoreRecord(rowWrite: RowWrite, id: string): Promise<Outcome> {
  const outcome = await restoreRow(rowWrite, id);
  const { counterpart } = rowWrite.resource;
  if (counterpart && (await exists(rowWrite, counterpart.resource, { id, deletedAt: { $ne: null } })))
    await restoreRow(ofCounterpart(rowWrite, counterpart), id);
  return outcome;
}

const ofCounterpart = (rowWrite: RowWrite, { resource }: Counterpart): RowWrite => ({ ...rowWrite, resource });

async function exists({ em }: RowWrite, { definition }: Resource, where: FilterQuery<RecordRow>): Promise<boolean> {
  return (await em.count(definition.entity, where)) > 0;
}

/** The counterpart that is there already. Problem `duplicate` when it is that of another record. */
async function findMatch(
  rowWrite: RowWrite,
  { resource: { definition, title }, match }: Counterpart,
  body: unknown,
): Promise<RecordRow | null> {
  const { em, write, resource } = rowWrite;
  if (resource.write(write.actor) === false) throw forbidden(resource);
  const value = definition.columns[match]?.schema.safeParse((body as RecordJson | null)?.[match]);
  // What does not fit is refused with the rest of the body.
  if (!value?.success) return null;
  const where = { [match]: value.data, deletedAt: null } as FilterQuery<RecordRow>;
  const known = await em.findOne(definition.entity, where);
  if (known && (await exists(rowWrite, resource, { id: known.id }))) {
    throw new Problem('duplicate', `This ${match} is that of the ${title} of ${resource.title} ${known.id}.`, [
      { path: match, message: `belongs to ${resource.title} ${known.id}; change or restore that one` },
    ]);
  }
  return known;
}

async function createCounterpart(
  rowWrite: RowWrite,
  counterpart: Counterpart,
  record: RecordJson | null,
): Promise<void> {
  const values = counterpart.properties.map((property) => [property, record?.[property]]);
  await createRow(ofCounterpart(rowWrite, counterpart), Object.fromEntries(values), String(record?.['id']));
}
