import type { EntityManager, FilterQuery } from '@mikro-orm/postgresql';
import type { Actor } from './access/actor.ts';
import type { Answer, WriteContext } from './automation/ledger.queries.ts';
import { type Database, inOrganization } from './database.ts';
import { expandedProperties, expandRecords } from './model/expansion.ts';
import { afterCursor, encodeCursor, type SortKey, totalOrder } from './model/cursors.ts';
import type { Resource } from './model/define-resource.ts';
import type { RecordRow } from './model/entity.ts';
import { type Filter, filterQuery, searchQuery } from './model/filters.ts';
import { Problem } from './model/problem.ts';
import { recordJson, type RecordJson, subjectTypeOf, visibleProperties } from './model/record-json.ts';
import { auditLog } from './governance/audit-entry.ts';
import { timeline } from './engagement/timeline-entry.ts';
import { findVisible, readFilter } from './model/row-access.ts';
import { createRecordWriter, type RecordWriter } from './record-writer.ts';

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
  const history =
    (of: Resource, sortField: string) =>
    async (actor: Actor, resource: Resource, id: string, page: Pick<ListQuery, 'limit' | 'cursor'>) =>
      inOrganization(database, actor.organizationId, async (em) => {
        // Whoever sees the record sees all of its history, or by role none: which rows hang on it is no further question.
        readFilter(actor, of);
        await findVisible(em, actor, resource, id, { deleted: true });
        const own = { subjectType: subjectTypeOf(resource), subjectId: id };
        return listRows(em, actor, of, own, { ...page, filters: [], sort: [{ field: sortField, direction: 'desc' }] });
      });
  return {
    ...createRecordWriter(database),
    list: (actor, resource, query) =>
      inOrganization(database, actor.organizationId, (em) =>
        listRows(em, actor, resource, readFilter(actor, resource), query),
      ),
    get: (actor, resource, id, selection = {}) =>
      inOrganization(database, actor.organizationId, async (em) => {
        const properties = selectedProperties(actor, resource, selection.fields);
        const expansions = expandedProperties(resource, selection.expand ?? []);
        const row = await findVisible(em, actor, resource, id);
        const record = recordJson(row, properties);
        await expandRecords(em, actor, resource, [record], [row], expansions);
        return record;
      }),
    timeline: history(timeline, 'happenedAt'),
    audit: history(auditLog, 'happenedAt'),
  };
}

function selectedProperties(actor: Actor, resource: Resource, fields: readonly string[] | undefined): string[] {
  const visible = visibleProperties(resource, actor);
  if (!fields) return visible;
  const unknown = fields.filter((field) => field !== 'id' && !visible.includes(field));
  if (unknown.length > 0) {
    throw new Problem('invalid', 'The query is not valid; see errors.', [
      { path: 'fields', message: `${unknown.join(', ')} cannot be selected; use id, ${visible.join(', ')}` },
    ]);
  }
  return fields.filter((field) => field !== 'id');
}

async function listRows(
  em: EntityManager,
  actor: Actor,
  resource: Resource,
  within: FilterQuery<RecordRow>,
  { filters, sort, q, fields, expand = [], limit, cursor }: ListQuery,
): Promise<Page> {
  const hidden = new Set(resource.redact?.(actor) ?? []);
  const refused = [...filters.map(({ field }) => field), ...sort.map(({ field }) => field)].find((field) =>
    hidden.has(field),
  );
  if (refused || (q !== undefined && hidden.size > 0))
    throw new Problem('forbidden', `Your role may not search by ${refused ?? 'contact data'}.`);
  const order = totalOrder(resource, sort);
  const properties = selectedProperties(actor, resource, fields);
  const expansions = expandedProperties(resource, expand);
  const conditions = [
    { deletedAt: null },
    within,
    ...filterQuery(resource, filters),
    ...(q === undefined ? [] : [searchQuery(resource, q)]),
    ...(cursor === undefined ? [] : [afterCursor(resource, order, cursor)]),
  ];
  const needed = new Set(['id', ...properties, ...order.map(({ field }) => field), ...expansions.values()]);
  const rows = await em.find(resource.definition.entity, { $and: conditions } as FilterQuery<RecordRow>, {
    orderBy: order.map(({ field, direction }) => ({ [field]: direction })),
    limit: limit + 1,
    fields: [...needed] as never,
    // Lists only read: identity map and change tracking would be work for nothing.
    disableIdentityMap: true,
  });
  const page = (rows as RecordRow[]).slice(0, limit);
  const last = page.at(-1);
  const hasMore = rows.length > limit;
  const data = page.map((row) => recordJson(row, properties));
  await expandRecords(em, actor, resource, data, page, expansions);
  return { data, nextCursor: hasMore && last ? encodeCursor(resource, order, last) : null, hasMore };
}
