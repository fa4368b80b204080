import type { EntityManager, FilterQuery } from '@mikro-orm/postgresql';
import { v7 as uuidv7 } from 'uuid';
import type { Actor } from './access/actor.ts';
import { type Answer, writeOnce, type WriteContext } from './automation/ledger.queries.ts';
import { type Database, databaseProblem } from './database.ts';
import { auditRows, baseColumns, type Change, eventRow, timelineRow } from './model/changes.ts';
import type { Resource } from './model/define-resource.ts';
import type { RecordRow } from './model/entity.ts';
import { Problem, type ProblemEntry } from './model/problem.ts';
import { exportedProperties, recordJson, type RecordJson, subjectTypeOf, visibleProperties } from './model/record-json.ts';
import { refuseInvisibleReferences } from './model/references.ts';
import { findWritable, forbidden, refuseOutside } from './model/row-access.ts';
import { createSchema, parseOrRefuse, patchSchema, replaceSchema } from './model/schemas.ts';
import { insertRows, type Insertion } from './model/set-based.ts';

/** `*` accepts any version (RFC 9110 §13.1.1). */
export type ExpectedVersion = number | '*';

/** One row of a bulk request. */
export interface BulkOperation {
  method: 'create' | 'update' | 'remove';
  id?: string | undefined;
  version?: number | undefined;
  body?: unknown;
}

/** Writes of plain fields: permission, strict schema, version, row with audit, timeline and event, all in one transaction. */
export interface RecordWriter {
  create(write: WriteContext, resource: Resource, body: unknown): Promise<Answer>;
  replace(write: WriteContext, resource: Resource, id: string, version: ExpectedVersion, body: unknown): Promise<Answer>;
  patch(write: WriteContext, resource: Resource, id: string, version: ExpectedVersion, body: unknown): Promise<Answer>;
  remove(write: WriteContext, resource: Resource, id: string, version: ExpectedVersion): Promise<Answer>;
  restore(write: WriteContext, resource: Resource, id: string): Promise<Answer>;
  /** Per-row outcomes `{index, status, id?, record?, problem?}`; one row's refusal leaves the others standing. */
  bulk(write: WriteContext, resource: Resource, operations: readonly BulkOperation[]): Promise<Answer>;
}

type Outcome = Omit<Answer, 'replayed'>;

export function createRecordWriter(database: Database): RecordWriter {
  const once = (write: WriteContext, work: (em: EntityManager, commandId: string) => Promise<Outcome>) => writeOnce(database, write, work);
  return {
    create: (write, resource, body) => once(write, (em, commandId) => createRow(em, write, commandId, resource, body)),
    replace: (write, resource, id, version, body) =>
      once(write, (em, commandId) => updateRow(em, write, commandId, resource, id, version, { body, whole: true })),
    patch: (write, resource, id, version, body) =>
      once(write, (em, commandId) => updateRow(em, write, commandId, resource, id, version, { body, whole: false })),
    remove: (write, resource, id, version) => once(write, (em, commandId) => removeRow(em, write, commandId, resource, id, version)),
    restore: (write, resource, id) => once(write, (em, commandId) => restoreRow(em, write, commandId, resource, id)),
    bulk: (write, resource, operations) =>
      once(write, async (em, commandId) => {
        const outcomes: RecordJson[] = [];
        for (const [index, operation] of operations.entries()) {
          outcomes.push({ index, ...(await rowOutcome(em, write, commandId, resource, operation)) });
        }
        return { status: 200, body: { outcomes } };
      }),
  };
}

/** A row of a bulk request in a savepoint and a unit of work of its own: what one row left behind is no other's concern. */
async function rowOutcome(em: EntityManager, write: WriteContext, commandId: string, resource: Resource, operation: BulkOperation): Promise<RecordJson> {
  try {
    const { status, body } = await em.transactional((inner) => applyOperation(inner as EntityManager, write, commandId, resource, operation), { clear: true });
    return { status, id: body?.['id'] ?? operation.id, record: body };
  } catch (error) {
    const problem = databaseProblem(error);
    if (!(problem instanceof Problem) || problem.code === 'unavailable') throw problem;
    const { status, code, message: detail, errors } = problem;
    return { status, ...(operation.id ? { id: operation.id } : {}), problem: { status, code, detail, errors } };
  }
}

function applyOperation(em: EntityManager, write: WriteContext, commandId: string, resource: Resource, { method, id, version, body }: BulkOperation): Promise<Outcome> {
  if (method === 'create') return createRow(em, write, commandId, resource, body);
  if (!id) throw new Problem('invalid', 'The operation is not valid; see errors.', [{ path: 'id', message: 'is needed to update or remove a record' }]);
  if (version === undefined) throw new Problem('precondition_required', `Name the version of ${resource.title} ${id} that you read.`);
  return method === 'update'
    ? updateRow(em, write, commandId, resource, id, version, { body, whole: false })
    : removeRow(em, write, commandId, resource, id, version);
}

async function createRow(em: EntityManager, write: WriteContext, commandId: string, resource: Resource, body: unknown): Promise<Outcome> {
  refuseUnless(resource.creatable.length > 0, `A ${resource.title} is made by its process alone.`);
  const { actor, receivedAt } = write;
  const access = resource.write(actor);
  if (access === false) throw forbidden(resource);
  refuseProcessOwned(resource, body);
  const values = storedValues(resource, parseOrRefuse(createSchema(resource), body, `This ${resource.title}`));
  const columns = resource.definition.columns;
  const full = Object.fromEntries(
    Object.entries(columns).map(([property, column]) => [property, values[property] ?? column.defaultValue ?? null]),
  );
  const row = { id: uuidv7(), ...full, ...baseColumns({ organizationId: actor.organizationId, actor, at: receivedAt }) } as RecordRow;
  refuseByRules(resource, row);
  await refuseInvisibleReferences(em, actor, resource, row, Object.keys(values));
  em.persist(em.create(resource.definition.entity, row, { partial: true }));
  await em.flush();
  if (access !== true) await refuseOutside(em, resource, row.id, access);
  await insertRows(em, traces(resource, change(write, commandId, resource, row.id), 'created', row));
  return { status: 201, body: await writtenRecord(em, actor, resource, row) };
}

async function updateRow(
  em: EntityManager,
  write: WriteContext,
  commandId: string,
  resource: Resource,
  id: string,
  version: ExpectedVersion,
  { body, whole }: { body: unknown; whole: boolean },
): Promise<Outcome> {
  refuseUnless(resource.patchable.length > 0, `A ${resource.title} is never changed.`);
  const row = await lockWritable(em, write.actor, resource, id, version);
  refuseProcessOwned(resource, body);
  const parsed = parseOrRefuse(whole ? replaceSchema(resource) : patchSchema(resource), body, `This ${resource.title}`);
  const columns = resource.definition.columns;
  const given = whole
    ? Object.fromEntries(resource.patchable.map((property) => [property, parsed[property] ?? columns[property]?.defaultValue ?? null]))
    : parsed;
  const values = storedValues(resource, given);
  const before = { ...row };
  const after = { ...row, ...values } as RecordRow;
  refuseByRules(resource, after);
  await refuseInvisibleReferences(em, write.actor, resource, after, Object.keys(values));
  return saveRow(em, write, commandId, resource, row, before, values, 'updated');
}

async function removeRow(em: EntityManager, write: WriteContext, commandId: string, resource: Resource, id: string, version: ExpectedVersion): Promise<Outcome> {
  refuseUnless(resource.removable, `A ${resource.title} is never removed.`);
  const row = await lockWritable(em, write.actor, resource, id, version);
  await saveRow(em, write, commandId, resource, row, { ...row }, { deletedAt: write.receivedAt }, 'removed');
  return { status: 204, body: null };
}

async function restoreRow(em: EntityManager, write: WriteContext, commandId: string, resource: Resource, id: string): Promise<Outcome> {
  refuseUnless(resource.removable, `A ${resource.title} is never removed.`);
  const row = await findWritable(em, write.actor, resource, id, { deleted: true });
  if (row.deletedAt === null) throw new Problem('conflict', `${resource.title} ${id} is not deleted.`);
  return saveRow(em, write, commandId, resource, row, { ...row }, { deletedAt: null }, 'restored');
}

async function saveRow(
  em: EntityManager,
  write: WriteContext,
  commandId: string,
  resource: Resource,
  row: RecordRow,
  before: RecordRow,
  values: Record<string, unknown>,
  event: 'updated' | 'removed' | 'restored',
): Promise<Outcome> {
  const what = change(write, commandId, resource, row.id);
  const audit = auditRows(what, row.version + 1, before, values);
  if (audit.rows.length > 0) {
    const { updatedAt, updatedBy } = baseColumns({ organizationId: row.organizationId, actor: write.actor, at: write.receivedAt });
    em.assign(row, { ...values, updatedAt, updatedBy } as never, { mergeObjectProperties: false });
    await em.flush();
    await insertRows(em, [audit, ...traces(resource, what, event, row, audit.rows.map(({ field }) => String(field)))]);
  }
  return { status: 200, body: await writtenRecord(em, write.actor, resource, row) };
}

/** The record as answered to its writer, with the remarks that its resource has on it. */
async function writtenRecord(em: EntityManager, actor: Actor, resource: Resource, row: RecordRow): Promise<RecordJson> {
  const record = recordJson(row, visibleProperties(resource, actor));
  if (!resource.warn) return record;
  const others = (await em.find(resource.definition.entity, { deletedAt: null, id: { $ne: row.id } } as FilterQuery<RecordRow>, { limit: 1_000 })) as RecordRow[];
  return { ...record, warnings: resource.warn(row, others) };
}

/** Timeline entries on the record and on what it hangs on, and the domain event that its resource emits. */
function traces(resource: Resource, what: Change, event: string, row: RecordRow, fields: readonly string[] = []): Insertion[] {
  const kind = `${what.subjectType}.${event}`;
  const details = fields.length === 0 ? null : { fields };
  const entry = timelineRow(what, kind, `${resource.title} ${event}${fields.length === 0 ? '' : `: ${fields.join(', ')}`}`.slice(0, 500), details);
  const onSubject =
    typeof row['subjectId'] === 'string' && typeof row['subjectType'] === 'string'
      ? timelineRow({ ...what, subjectType: row['subjectType'], subjectId: row['subjectId'] }, kind, `${resource.title} ${event}`, { [`${what.subjectType}Id`]: row.id }).rows
      : [];
  const events = resource.emits ? [eventRow(what, `${resource.emits}.${event}`)] : [];
  return [{ ...entry, rows: [...entry.rows, ...onSubject] }, ...events];
}

function change(write: WriteContext, commandId: string, resource: Resource, subjectId: string): Change {
  const { actor, receivedAt: at } = write;
  return { organizationId: actor.organizationId, actor, at, subjectType: subjectTypeOf(resource), subjectId, commandId };
}

async function lockWritable(em: EntityManager, actor: Actor, resource: Resource, id: string, version: ExpectedVersion): Promise<RecordRow> {
  const row = await findWritable(em, actor, resource, id);
  if (version !== '*' && version !== row.version) {
    throw new Problem('stale', `${resource.title} ${id} is at version ${row.version}, not ${version}. Read it again and repeat the change.`);
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
    Object.hasOwn(owned, path) ? [{ path, message: `is changed by the process alone; use the command ${owned[path]}` }] : [],
  );
  if (errors.length > 0) throw new Problem('process_owned', `Some fields of this ${resource.title} belong to its process; see errors.`, errors);
}

function refuseByRules(resource: Resource, row: RecordRow): void {
  const errors = resource.rules?.(recordJson(row, exportedProperties(resource.definition))) ?? [];
  if (errors.length > 0) throw new Problem('rule_violation', `This ${resource.title} breaks a rule; see errors.`, errors);
}

/** JSON values as the columns store them: instants become dates. */
function storedValues(resource: Resource, values: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(values)
      .filter(([, value]) => value !== undefined)
      .map(([property, value]) => [property, resource.definition.columns[property]?.kind === 'instant' && typeof value === 'string' ? new Date(value) : value]),
  );
}
