import type { EntityManager, FilterQuery } from '@mikro-orm/postgresql';
import type { Answer } from '../automation/answers.queries.ts';
import type { WriteContext } from '../automation/ledger.queries.ts';
import { auditRows, baseColumns, type Change, recordTraces } from './changes.ts';
import type { Resource } from './define-resource.ts';
import type { RecordRow } from './entity.ts';
import { lockHierarchy, refuseOwnAncestor } from './hierarchy.ts';
import { Problem, type ProblemEntry } from './problem.ts';
import { exportedProperties, recordJson, type RecordJson, subjectTypeOf } from './record-json.ts';
import { openRows, visibleProperties } from './redaction.ts';
import { refuseInvisibleReferences } from './references.ts';
import { findWritable, forbidden, isWithin, refuseOutside } from './row-access.ts';
import { createSchema, parseOrRefuse, patchSchema, replaceSchema } from './schemas.ts';
import { insertRows } from './set-based.ts';

/** `*` accepts any version (RFC 9110 §13.1.1). */
export type ExpectedVersion = number | '*';

export type Outcome = Omit<Answer, 'replayed'>;

/** One write to rows of one resource, within its transaction. */
export interface RowWrite {
  em: EntityManager;
  write: WriteContext;
  commandId: string;
  resource: Resource;
}

/** Makes a record under this key. Throws Problems: permission, schema, rules, references, uniqueness. */
export async function createRow(rowWrite: RowWrite, body: unknown, id: string): Promise<Outcome> {
  const { em, write, resource } = rowWrite;
  const { actor, receivedAt } = write;
  refuseUnless(resource.creatable.length > 0, `A ${resource.title} is made by its process alone.`);
  const access = resource.write(actor);
  if (access === false) throw forbidden(resource);
  refuseProcessOwned(resource, body);
  const values = storedValues(resource, parseOrRefuse(createSchema(resource), body, `This ${resource.title}`));
  const full = Object.fromEntries(
    Object.entries(resource.definition.columns).map(([property, column]) => [
      property,
      values[property] ?? column.defaultValue ?? null,
    ]),
  );
  const base = baseColumns({ organizationId: actor.organizationId, actor, at: receivedAt });
  const row = { id, ...full, ...derivedValues(resource, full, null), ...base } as RecordRow;
  refuseByRules(resource, row, receivedAt);
  await refuseInvisibleReferences(em, actor, resource, row, Object.keys(values));
  em.persist(em.create(resource.definition.entity, row, { partial: true }));
  await em.flush();
  if (access !== true) await refuseOutside(em, resource, row.id, access);
  await insertRows(em, recordTraces(changeOf(rowWrite, row.id), resource, 'created', row));
  return { status: 201, body: await writtenRecord(rowWrite, row, null) };
}

/** Changes a record: the properties given, or with `whole` all that a client may change. */
export async function updateRow(
  rowWrite: RowWrite,
  id: string,
  version: ExpectedVersion,
  { body, whole }: { body: unknown; whole: boolean },
): Promise<Outcome> {
  const { em, write, resource } = rowWrite;
  refuseUnless(resource.patchable.length > 0, `A ${resource.title} is never changed.`);
  await lockHierarchy(em, resource, body);
  const row = await lockWritable(rowWrite, id, version);
  refuseProcessOwned(resource, body);
  const parsed = parseOrRefuse(whole ? replaceSchema(resource) : patchSchema(resource), body, `This ${resource.title}`);
  const { columns } = resource.definition;
  const given = whole
    ? Object.fromEntries(
        resource.patchable.map((property) => [property, parsed[property] ?? columns[property]?.defaultValue ?? null]),
      )
    : parsed;
  const stored = storedValues(resource, given);
  const values = { ...stored, ...derivedValues(resource, { ...row, ...stored }, row) };
  const after = { ...row, ...values } as RecordRow;
  refuseByRules(resource, after, write.receivedAt);
  // One that was there before may be gone by now: that is no mistake of this write.
  const changed = Object.keys(stored).filter((property) => stored[property] !== row[property]);
  await refuseInvisibleReferences(em, write.actor, resource, after, changed);
  if (resource.hierarchy !== undefined && changed.includes(resource.hierarchy))
    await refuseOwnAncestor(em, resource, after);
  return saveRow(rowWrite, row, values, 'updated');
}

function derivedValues(
  resource: Resource,
  row: Record<string, unknown>,
  before: Record<string, unknown> | null,
): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(resource.derived ?? {}).map(([property, derive]) => [property, derive?.(row, before)]),
  );
}

/** Hides a record from every list; its history stays, and it can be restored. */
export async function removeRow(rowWrite: RowWrite, id: string, version: ExpectedVersion): Promise<Outcome> {
  const { write, resource } = rowWrite;
  refuseUnless(resource.removable, `A ${resource.title} is never removed.`);
  const row = await lockWritable(rowWrite, id, version, 'remove');
  await saveRow(rowWrite, row, { deletedAt: write.receivedAt }, 'removed');
  return { status: 204, body: null };
}

/** Brings a removed record back. */
export async function restoreRow(rowWrite: RowWrite, id: string): Promise<Outcome> {
  const { em, write, resource } = rowWrite;
  refuseUnless(resource.removable, `A ${resource.title} is never removed.`);
  const row = await findWritable(em, write.actor, resource, id, { change: 'remove', deleted: true });
  if (row.deletedAt === null) throw new Problem('conflict', `${resource.title} ${id} is not deleted.`);
  // What a process chose for it may be gone by now: the process takes up what was restored.
  await refuseInvisibleReferences(em, write.actor, resource, row, [...resource.creatable, ...resource.patchable]);
  return saveRow(rowWrite, row, { deletedAt: null }, 'restored');
}

/** Stores what differs, with its audit, timeline and event; nothing at all when nothing does. */
export async function saveRow(
  rowWrite: RowWrite,
  row: RecordRow,
  values: Record<string, unknown>,
  event: 'updated' | 'removed' | 'restored',
): Promise<Outcome> {
  const { em, write, resource } = rowWrite;
  const change = changeOf(rowWrite, row.id);
  const before = { ...row };
  // What follows from another field is no change of its own.
  const chosen = Object.fromEntries(
    Object.entries(values).filter(([property]) => !(property in (resource.derived ?? {}))),
  );
  const audit = auditRows(change, row.version + 1, before, chosen);
  if (audit.rows.length > 0) {
    const { updatedAt, updatedBy } = baseColumns({ ...change, at: write.receivedAt });
    em.assign(row, { ...values, updatedAt, updatedBy } as never, { mergeObjectProperties: false });
    await em.flush();
    const fields = audit.rows.map(({ field }) => String(field));
    await insertRows(em, [audit, ...recordTraces(change, resource, event, row, fields)]);
  }
  return { status: 200, body: await writtenRecord(rowWrite, row, before) };
}

function changeOf({ write, commandId, resource }: RowWrite, subjectId: string): Change {
  const { actor, receivedAt: at } = write;
  const { organizationId } = actor;
  return { organizationId, actor, at, subjectType: subjectTypeOf(resource), subjectId, commandId };
}

/** The record as answered to its writer, with the remarks that its resource has on it. */
async function writtenRecord(
  { em, write, resource }: RowWrite,
  row: RecordRow,
  before: RecordRow | null,
): Promise<RecordJson> {
  const isOpen = await isWithin(em, resource, row.id, openRows(resource, write.actor));
  const record = recordJson(row, visibleProperties(resource, isOpen));
  if (!resource.warn) return record;
  const where = { deletedAt: null, id: { $ne: row.id } } as FilterQuery<RecordRow>;
  const others = (await em.find(resource.definition.entity, where, { limit: 1_000 })) as RecordRow[];
  return { ...record, warnings: resource.warn(row, others, before) };
}

async function lockWritable(
  { em, write, resource }: RowWrite,
  id: string,
  version: ExpectedVersion,
  change: 'write' | 'remove' = 'write',
): Promise<RecordRow> {
  const row = await findWritable(em, write.actor, resource, id, { change });
  if (version !== '*' && version !== row.version) {
    throw new Problem(
      'stale',
      `${resource.title} ${id} is at version ${row.version}, not ${version}. Read it again and repeat the change.`,
    );
  }
  return row;
}

function refuseUnless(isPossible: boolean, why: string): void {
  if (!isPossible) throw new Problem('method_not_allowed', why);
}

function refuseProcessOwned(resource: Resource, body: unknown): void {
  if (typeof body !== 'object' || body === null || !resource.processOwned) return;
  const owned: Readonly<Record<string, string | undefined>> = resource.processOwned;
  const errors: ProblemEntry[] = Object.keys(body).flatMap((path) =>
    Object.hasOwn(owned, path)
      ? [{ path, message: `is changed by the process alone; use the command ${owned[path]}` }]
      : [],
  );
  if (errors.length > 0) {
    throw new Problem(
      'process_owned',
      `Some fields of this ${resource.title} belong to its process; see errors.`,
      errors,
    );
  }
}

function refuseByRules(resource: Resource, row: RecordRow, at: Date): void {
  const errors = resource.rules?.(recordJson(row, exportedProperties(resource.definition)), at) ?? [];
  if (errors.length > 0) {
    throw new Problem('rule_violation', `This ${resource.title} breaks a rule; see errors.`, errors);
  }
}

/** JSON values as the columns store them: instants become dates. */
function storedValues(resource: Resource, values: Record<string, unknown>): Record<string, unknown> {
  const { columns } = resource.definition;
  return Object.fromEntries(
    Object.entries(values)
      .filter(([, value]) => value !== undefined)
      .map(([property, value]) => [
        property,
        columns[property]?.kind === 'instant' && typeof value === 'string' ? new Date(value) : value,
      ]),
  );
}
