import { writeInSteps } from '../../db/automation/stepwise-writes.queries.ts';
import type { Database } from '../../db/database.ts';
import type { Resource } from '../../db/model/define-resource.ts';
import { Problem } from '../../db/model/problem.ts';
import type { BulkOperation } from '../../db/record-writer.ts';
import type { RecordsService, WriteContext } from '../../db/records.ts';
import type { ApiAnswer, CallerRequest } from '../route.ts';
import { readBulk } from './bulk.ts';
import { prefersAsync, writeContext } from './headers.ts';
import { type Creation, written } from './records.ts';

/** Starts the process that makes a record; throws Problems. */
export type StartProcess = (write: WriteContext, body: unknown, respondAsync: boolean) => Promise<ApiAnswer>;

// So many starts of one bulk request run at once.
const atOnce = 16;
// A request that has taken so long waits for no more outcomes: the remaining rows are stored and answered 202.
const patienceMilliseconds = 5_000;

interface CreationDependencies {
  database: Database;
  records: RecordsService;
}

/**
 * Creation of records that a process makes: POST is its starting command, a bulk request sends one for each row. A bulk
 * request is one write of many steps: repeated after it broke off, it finishes what was left.
 */
export function processCreation(
  resource: Resource,
  { database, records }: CreationDependencies,
  start: StartProcess,
): Creation {
  return {
    create: (request) => start(writeContext(request), request.body, prefersAsync(request)),
    bulk: async (request) => {
      const operations = readBulk(request.body);
      const write = writeContext(request);
      const answer = await writeInSteps(database, write, async (keepLease) => {
        const outcomes: RowOutcome[] = [];
        for (const [first, run] of runs(operations)) {
          if (first > 0) await keepLease();
          const done = run.map((operation, offset) =>
            outcomeOf(first + offset, () => apply(write, first + offset, operation, request)),
          );
          outcomes.push(...(await allOf(done)));
        }
        refuseUnfinished(outcomes);
        return { status: 200, body: { outcomes } };
      });
      return written(resource, answer);
    },
  };

  function apply(
    write: WriteContext,
    index: number,
    { method, body, ...operation }: BulkOperation,
    request: CallerRequest,
  ): Promise<ApiAnswer> {
    // Each row is a write of its own under the request's key, so that a repetition gives each row its first answer.
    const row = { ...write, route: `${write.route}[${index}]` };
    const isLate = Date.now() - write.receivedAt.getTime() > patienceMilliseconds;
    if (method === 'create') return start(row, body, isLate || prefersAsync(request));
    return bulkRow(row, { method, ...(method === 'update' ? { body } : {}), ...operation });
  }

  async function bulkRow(write: WriteContext, operation: BulkOperation): Promise<ApiAnswer> {
    const { body } = await records.bulk(write, resource, [operation]);
    const [outcome] = (body?.['outcomes'] ?? []) as { status: number }[];
    return { status: outcome?.status ?? 200, body: outcome };
  }

  async function outcomeOf(index: number, work: () => Promise<ApiAnswer>): Promise<RowOutcome> {
    try {
      const { status, body } = await work();
      const answer = body as Record<string, unknown>;
      return 'index' in answer ? { ...answer, index } : { index, status, id: answer['id'], record: answer };
    } catch (error) {
      if (!(error instanceof Problem) || error.code === 'unavailable') throw error;
      const { status, code, message: detail, errors } = error;
      return { index, status, problem: { status, code, detail, errors } };
    }
  }
}

interface RowOutcome extends Record<string, unknown> {
  problem?: Pick<Problem, 'status' | 'code' | 'errors'> & { detail: string };
}

/** Problem `in_progress` when a row of an earlier attempt has no outcome yet: the answer would not be the last word. */
function refuseUnfinished(outcomes: readonly RowOutcome[]): void {
  const unfinished = outcomes.find(({ problem }) => problem?.code === 'in_progress');
  if (unfinished?.problem) throw new Problem('in_progress', unfinished.problem.detail);
}

/** What all of them came to; fails when one does, once none is under way any more. */
async function allOf<T>(works: readonly Promise<T>[]): Promise<T[]> {
  await Promise.allSettled(works);
  return Promise.all(works);
}

/** Runs of neighbouring creates, which may go at once, and single other operations; each with its first index. */
function* runs(operations: readonly BulkOperation[]): Generator<[first: number, run: readonly BulkOperation[]]> {
  for (let first = 0; first < operations.length;) {
    let end = first + 1;
    const creates = (index: number) => operations[index]?.method === 'create';
    while (creates(first) && creates(end) && end - first < atOnce) end++;
    yield [first, operations.slice(first, end)];
    first = end;
  }
}
