import type { FilterQuery } from '@mikro-orm/postgresql';
import type { Actor } from './access/actor.ts';
import type { Answer } from './automation/answers.queries.ts';
import type { WriteContext } from './automation/ledger.queries.ts';
import type { Database } from './database.ts';
import { expandedProperties, expandRecords } from './model/expansion.ts';
import { afterCursor, encodeCursor, type SortKey, totalOrder } from './model/cursors.ts';
import type { Resource } from './model/define-resource.ts';
import type { RecordRow } from './model/entity.ts';
import { type Filter, filterQuery, searchedText } from './model/filters.ts';
import { Problem } from './model/problem.ts';
import { type RecordJson, subjectTypeOf } from './model/record-json.ts';
import { isRedacted, openAmongReadable, selectableProperties } from './model/redaction.ts';
import { auditLog } from './governance/audit-entry.ts';
import { timeline } from './engagement/timeline-entry.ts';
import { readFilter, readVisible } from './model/row-access.ts';
import type { JsonRow, ReadRows } from './model/rows.ts';
import { createRecordWriter, type RecordWriter } from './record-writer.ts';
import { createRowReader } from './row-reader.ts';

/** A list request, parsed from its query string; names are not yet checked against the resource. */
export interface ListQuery {
  filters: readonly Filter[];
  sort: readonly SortKey[];
  q?: string | undefined;
  fields?: readonly string[] | undefined;
  expand?: readonly string[] | undefined;
  /** 1 to 200. */
  limit: number;
  cursor?: string | undefined;
}

export interface Page {
  data: RecordJson[];
  nextCursor: string | null;
  hasMore: boolean;
}

interface Selection {
  fields?: readonly string[] | undefined;
  expand?: readonly string[] | undefined;
}

/** The one read path and the one write path for rows. Every method throws Problems and works in one organisation. */
export interface RecordsService extends RecordWriter {
  list(actor: Actor, resource: Resource, query: ListQuery): Promise<Page>;
  get(actor: Actor, resource: Resource, id: string, selection?: Selection): Promise<RecordJson>;
  /** Newest first; `not_found` when the caller may not see the record itself. */
  timeline(actor: Actor, resource: Resource, id: string, page: Pick<ListQuery, 'limit' | 'cursor'>): Promise<Page>;
  audit(actor: Actor, resource: Resource, id: string, page: Pick<ListQuery, 'limit' | 'cursor'>): Promise<Page>;
}

export type { Answer, WriteContext };

export function createRecordsService(database: Database): RecordsService {
  const reader = (actor: Actor) => createRowReader(database, actor);
  const history =
    (of: Resource, sortField: string) =>
    async (actor: Actor, resource: Resource, id: string, page: Pick<ListQuery, 'limit' | 'cursor'>) => {
      // Whoever sees the record sees all of its history, or by role none: which rows hang on it is no further question.
      readFilter(actor, of);
      const read = reader(actor);
      await readVisible(read, actor, resource, id, { properties: [], deleted: true });
      const own = { subjectType: subjectTypeOf(resource), subjectId: id };
      const sort: SortKey[] = [{ field: sortField, direction: 'desc' }];
      return listRows(read, actor, of, own, { ...page, filters: [], sort });
    };
  return {
    ...createRecordWriter(database),
    list: async (actor, resource, query) =>
      listRows(reader(actor), actor, resource, readFilter(actor, resource), query),
    async get(actor, resource, id, selection = {}) {
      const properties = selectedProperties(actor, resource, selection.fields);
      const expansions = expandedProperties(resource, selection.expand ?? []);
      const read = reader(actor);
      const row = await readVisible(read, actor, resource, id, { properties: [...properties, ...expansions.values()] });
      const record = picked(row, properties);
      await expandRecords(read, actor, resource, [record], [row], expansions);
      return record;
    },
    timeline: history(timeline, 'happenedAt'),
    audit: history(auditLog, 'happenedAt'),
  };
}

function selectedProperties(actor: Actor, resource: Resource, fields: readonly string[] | undefined): string[] {
  const visible = selectableProperties(resource, actor);
  if (!fields) return visible;
  const unknown = fields.filter((field) => field !== 'id' && !visible.includes(field));
  if (unknown.length > 0) {
    throw new Problem('invalid', 'The query is not valid; see errors.', [
      { path: 'fields', message: `${unknown.join(', ')} cannot be selected; use id, ${visible.join(', ')}` },
    ]);
  }
  return fields.filter((field) => field !== 'id');
}

function picked(row: JsonRow, properties: readonly string[]): RecordJson {
  const record: RecordJson = { id: row.id };
  for (const property of properties) if (property in row) record[property] = row[property];
  return record;
}

async function listRows(
  read: ReadRows,
  actor: Actor,
  resource: Resource,
  within: FilterQuery<RecordRow>,
  { filters, sort, q, fields, expand = [], limit, cursor }: ListQuery,
): Promise<Page> {
  const order = totalOrder(resource, sort);
  const properties = selectedProperties(actor, resource, fields);
  const expansions = expandedProperties(resource, expand);
  const conditions = [
    { deletedAt: null },
    within,
    ...withinOpenRows(actor, resource, [
      ...[...filters, ...sort].map(({ field }) => field),
      ...(q === undefined ? [] : resource.definition.search),
    ]),
    ...filterQuery(resource, filters),
    ...(cursor === undefined ? [] : [afterCursor(resource, order, cursor)]),
  ];
  const rows = await read(resource, {
    where: conditions,
    search: q === undefined ? undefined : searchedText(resource, q),
    properties: [...properties, ...order.map(({ field }) => field), ...expansions.values()],
    order,
    limit: limit + 1,
  });
  const page = rows.slice(0, limit);
  const last = page.at(-1);
  const hasMore = rows.length > limit;
  const data = page.map((row) => picked(row, properties));
  await expandRecords(read, actor, resource, data, page, expansions);
  return { data, nextCursor: hasMore && last ? encodeCursor(resource, order, last) : null, hasMore };
}

/** What is redacted in a row is not to be guessed by searching for it: such a search finds open rows alone. */
function withinOpenRows(actor: Actor, resource: Resource, searched: readonly string[]): FilterQuery<RecordRow>[] {
  const property = searched.find((name) => isRedacted(resource, name));
  if (property === undefined) return [];
  const open = openAmongReadable(resource, actor);
  if (open === false) throw new Problem('forbidden', `Your role may not search ${resource.path} by ${property}.`);
  return open === true ? [] : [open];
}
