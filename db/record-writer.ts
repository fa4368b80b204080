import type { EntityManager } from '@mikro-orm/postgresql';
import type { Answer } from './automation/answers.queries.ts';
import { writeOnce, type WriteContext } from './automation/ledger.queries.ts';
import { type Database, databaseProblem } from './database.ts';
import { createRecord, removeRecord, restoreRecord, updateRecord } from './model/counterparts.ts';
import type { Resource } from './model/define-resource.ts';
import { Problem } from './model/problem.ts';
import type { RecordJson } from './model/record-json.ts';
import type { ExpectedVersion, Outcome, RowWrite } from './model/row-writes.ts';

export type { ExpectedVersion };

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
  replace(
    write: WriteContext,
    resource: Resource,
    id: string,
    version: ExpectedVersion,
    body: unknown,
  ): Promise<Answer>;
  patch(write: WriteContext, resource: Resource, id: string, version: ExpectedVersion, body: unknown): Promise<Answer>;
  remove(write: WriteContext, resource: Resource, id: string, version: ExpectedVersion): Promise<Answer>;
  restore(write: WriteContext, resource: Resource, id: string): Promise<Answer>;
  /** Per-row outcomes `{index, status, id?, record?, problem?}`; one row's refusal leaves the others standing. */
  bulk(write: WriteContext, resource: Resource, operations: readonly BulkOperation[]): Promise<Answer>;
}

/** Makes the record writer over a database: each write in one transaction with its row in the ledger. */
export function createRecordWriter(database: Database): RecordWriter {
  const once = (write: WriteContext, resource: Resource, work: (rowWrite: RowWrite) => Promise<Outcome>) =>
    writeOnce(database, write, (em, commandId) => work({ em, write, commandId, resource }));
  return {
    create: (write, resource, body) => once(write, resource, (rowWrite) => createRecord(rowWrite, body)),
    replace: (write, resource, id, version, body) =>
      once(write, resource, (rowWrite) => updateRecord(rowWrite, id, version, { body, whole: true })),
    patch: (write, resource, id, version, body) =>
      once(write, resource, (rowWrite) => updateRecord(rowWrite, id, version, { body, whole: false })),
    remove: (write, resource, id, version) => once(write, resource, (rowWrite) => removeRecord(rowWrite, id, version)),
    restore: (write, resource, id) => once(write, resource, (rowWrite) => restoreRecord(rowWrite, id)),
    bulk: (write, resource, operations) =>
      once(write, resource, async (rowWrite) => {
        const outcomes: RecordJson[] = [];
        for (const [index, operation] of operations.entries()) {
          outcomes.push({ index, ...(await rowOutcome(rowWrite, operation)) });
        }
        return { status: 200, body: { outcomes } };
      }),
  };
}

/** A row of a bulk request in a savepoint and a unit of work of its own: what one row left behind is no other's concern. */
async function rowOutcome(rowWrite: RowWrite, operation: BulkOperation): Promise<RecordJson> {
  try {
    const { status, body } = await rowWrite.em.transactional(
      (em) => applyOperation({ ...rowWrite, em: em as EntityManager }, operation),
      { clear: true },
    );
    return { status, id: body?.['id'] ?? operation.id, record: body };
  } catch (error) {
    const problem = databaseProblem(error);
    if (!(problem instanceof Problem) || problem.code === 'unavailable') throw problem;
    const { status, code, message: detail, errors } = problem;
    return { status, ...(operation.id ? { id: operation.id } : {}), problem: { status, code, detail, errors } };
  }
}

function applyOperation(rowWrite: RowWrite, { method, id, version, body }: BulkOperation): Promise<Outcome> {
  if (method === 'create') return createRecord(rowWrite, body);
  if (!id) {
    const errors = [{ path: 'id', message: 'is needed to update or remove a record' }];
    throw new Problem('invalid', 'The operation is not valid; see errors.', errors);
  }
  if (version === undefined) {
    throw new Problem('precondition_required', `Name the version of ${rowWrite.resource.title} ${id} that you read.`);
  }
  return method === 'update'
    ? updateRecord(rowWrite, id, version, { body, whole: false })
    : removeRecord(rowWrite, id, version);
}
