import type { Resource } from '../../db/model/define-resource.ts';
import { Problem } from '../../db/model/problem.ts';
import type { BulkOperation } from '../../db/record-writer.ts';
import type { RecordsService, WriteContext } from '../../db/records.ts';
import type { ApiAnswer, CallerRequest } from '../route.ts';
import { readBulk } from './bulk.ts';
import { prefersAsync, writeContext } from './headers.ts';
import type { Creation } from './records.ts';

/** Starts the process that makes a record; throws Problems. */
export type StartProcess = (write: WriteContext, body: unknown, respondAsync: boolean) => Promise<ApiAnswer>;

// So many starts of one bulk request run at once.
const atOnce = 16;
// A request that has taken so long waits for no more outcomes: the remaining rows are stored and answered 202.
const patienceMilliseconds = 5_000;

/** Creation of records that a process makes: POST is its starting command, a bulk request sends one for each row. */
export function processCreation(resource: Resource, records: RecordsService, start: StartProcess): Creation {
  return {
    create: (request) => start(writeContext(request), request.body, prefersAsync(request)),
    bulk: async (request) => {
      const operations = readBulk(request.body);
      const write = writeContext(request);
      const outcomes: Record<string, unknown>[] = [];
      for (const [first, run] of runs(operations)) {
        const done = run.map((operation, offset) =>
          outcomeOf(first + offset, () => apply(write, first + offset, operation, request)),
        );
        outcomes.push(...(await Promise.all(done)));
      }
      return { status: 200, body: { outcomes } };
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

  async function outcomeOf(index: number, work: () => Promise<ApiAnswer>): Promise<Record<string, unknown>> {
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
