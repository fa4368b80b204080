import type { Resource } from '../../db/model/define-resource.ts';
import type { Answer, RecordsService } from '../../db/records.ts';
import type { ProblemCode } from '../../db/model/problem.ts';
import type { ApiAnswer, CallerRequest, CallerRoute } from '../route.ts';
import { readBulk } from './bulk.ts';
import {
  etagOf,
  expectedVersion,
  idempotencyKeyHeader,
  ifMatchHeader,
  ifNoneMatchHeader,
  isKnown,
  preferHeader,
  writeContext,
} from './headers.ts';
import {
  listParameters,
  pageParameters,
  readListQuery,
  readPage,
  readSelection,
  selectionParameters,
} from './list-query.ts';
import { acceptedAnswer } from './process-documents.ts';
import { documentsOf, historyPages, isChangeable, isCreatable } from './record-documents.ts';

const bulkLimitBytes = 5 * 1024 * 1024;

const writeProblems: readonly ProblemCode[] = [
  'idempotency_key_missing',
  'forbidden',
  'conflict',
  'in_progress',
  'duplicate',
  'rule_violation',
  'process_owned',
  'reference_not_found',
  'idempotency_key_reused',
];
const changeProblems: readonly ProblemCode[] = [...writeProblems, 'not_found', 'stale', 'precondition_required'];

/** How the records of a resource come to be: by a row, or by the process that makes it. */
export interface Creation {
  create(request: CallerRequest): Promise<ApiAnswer>;
  bulk(request: CallerRequest): Promise<ApiAnswer>;
}

/** Creation of plain rows. */
export function plainCreation(resource: Resource, records: RecordsService): Creation {
  return {
    create: async (request) => written(resource, await records.create(writeContext(request), resource, request.body)),
    bulk: async (request) =>
      written(resource, await records.bulk(writeContext(request), resource, readBulk(request.body))),
  };
}

/** The generic verbs of one resource, as far as it supports them; everything about rows is the records service's. */
export function recordRoutes(resource: Resource, records: RecordsService, creation: Creation): CallerRoute[] {
  const { path, title, feature, definition, removable } = resource;
  const collection = `/crm/v1/${path}`;
  const single = `${collection}/{id}`;
  const documents = documentsOf(resource);
  const base = { access: 'caller', tag: path, feature } as const;
  const named = (verb: string): string => `${verb}${definition.name}`;
  const record = (description: string) => ({ description, content: documents.record, headers: ['ETag'] });

  const startAnswers: CallerRoute['answers'] = resource.process
    ? { 200: record('Merged into this one'), 202: acceptedAnswer }
    : {};

  const reads: CallerRoute[] = [
    {
      ...base,
      method: 'get',
      path: collection,
      operationId: named('list'),
      summary: `List ${path}`,
      parameters: listParameters(resource),
      problems: ['forbidden', 'invalid_cursor'],
      answers: { 200: { description: 'One page, newest first unless sorted', content: documents.page } },
      handle: async (request) => ({
        status: 200,
        body: await records.list(request.actor, resource, readListQuery(request)),
      }),
    },
    {
      ...base,
      method: 'get',
      path: single,
      operationId: named('get'),
      summary: `Get one ${title}`,
      parameters: [...selectionParameters(resource), ifNoneMatchHeader],
      problems: ['forbidden', 'not_found'],
      answers: { 200: record(`The ${title}`), 304: { description: 'The caller has this version already' } },
      handle: (request) => getRecord(records, resource, request),
    },
    ...(['timeline', 'audit'] as const).map((history): CallerRoute => ({
      ...base,
      method: 'get',
      path: `${single}/${history}`,
      operationId: named(history),
      summary: history === 'timeline' ? `What happened to one ${title}` : `Who changed what in one ${title}`,
      parameters: pageParameters,
      problems: ['forbidden', 'not_found', 'invalid_cursor'],
      answers: { 200: { description: 'Newest first', content: historyPages[history] } },
      handle: async ({ actor, id, query }) => ({
        status: 200,
        body: await records[history](actor, resource, id, readPage(query)),
      }),
    })),
  ];

  const creates: CallerRoute[] = [
    {
      ...base,
      method: 'post',
      path: collection,
      operationId: named('create'),
      summary: `Create a ${title}`,
      parameters: resource.process ? [idempotencyKeyHeader, preferHeader] : [idempotencyKeyHeader],
      body: documents.create,
      problems: writeProblems,
      answers: { ...startAnswers, 201: { ...record('Created'), headers: ['ETag', 'Location'] } },
      handle: creation.create,
    },
  ];

  const changes: CallerRoute[] = (['put', 'patch'] as const).map((method) => ({
    ...base,
    method,
    path: single,
    operationId: named(method === 'put' ? 'replace' : 'patch'),
    summary: method === 'put' ? `Replace one ${title}` : `Change some properties of one ${title}`,
    parameters: [idempotencyKeyHeader, ifMatchHeader],
    body: method === 'put' ? documents.replace : documents.patch,
    problems: changeProblems,
    answers: { 200: record('As it is now') },
    handle: async (request) => {
      const version = expectedVersion(request);
      const change = method === 'put' ? records.replace : records.patch;
      return written(resource, await change(writeContext(request), resource, request.id, version, request.body));
    },
  }));

  const removals: CallerRoute[] = [
    {
      ...base,
      method: 'delete',
      path: single,
      operationId: named('remove'),
      summary: `Delete one ${title}; it can be restored`,
      parameters: [idempotencyKeyHeader, ifMatchHeader],
      problems: changeProblems,
      answers: { 204: { description: 'Deleted' } },
      handle: async (request) => {
        const version = expectedVersion(request);
        return written(resource, await records.remove(writeContext(request), resource, request.id, version));
      },
    },
    {
      ...base,
      method: 'post',
      path: `${single}/restore`,
      operationId: named('restore'),
      summary: `Restore one deleted ${title}`,
      parameters: [idempotencyKeyHeader],
      problems: [...writeProblems, 'not_found'],
      answers: { 200: record('As it is now') },
      handle: async (request) => written(resource, await records.restore(writeContext(request), resource, request.id)),
    },
  ];

  const bulk: CallerRoute[] = [
    {
      ...base,
      method: 'post',
      path: `${collection}/bulk`,
      operationId: named('bulk'),
      summary: `Create, change and delete many ${path} in one request`,
      description: 'Each operation succeeds or fails by itself; the answer tells the outcome of each, in order.',
      parameters: [idempotencyKeyHeader],
      body: { ...documents.bulk, limitBytes: bulkLimitBytes },
      problems: writeProblems,
      answers: { 200: { description: 'The outcome of each operation', content: documents.outcomes } },
      handle: creation.bulk,
    },
  ];

  const writable = isCreatable(resource) || isChangeable(resource) || removable;
  return [
    ...reads,
    ...(isCreatable(resource) ? creates : []),
    ...(isChangeable(resource) ? changes : []),
    ...(removable ? removals : []),
    ...(writable ? bulk : []),
  ];
}

async function getRecord(records: RecordsService, resource: Resource, request: CallerRequest): Promise<ApiAnswer> {
  const selection = readSelection(request.query);
  const { fields } = selection;
  const wanted = fields && !fields.includes('version') ? { ...selection, fields: [...fields, 'version'] } : selection;
  const { version, ...record } = await records.get(request.actor, resource, request.id, wanted);
  const etag = etagOf({ version });
  // With other records in it, the answer can change while the version stays.
  const headers = etag && !selection.expand ? { ETag: etag } : undefined;
  if (etag && headers && isKnown(etag, request)) return { status: 304, headers };
  return { status: 200, body: fields && !fields.includes('version') ? record : { ...record, version }, headers };
}

/** The answer of a write, with its ETag, its place when it was created, and whether it is a repetition. */
export function written(resource: Resource, { status, body, replayed }: Answer): ApiAnswer {
  const etag = body ? etagOf(body) : undefined;
  const headers: Record<string, string> = {
    ...(etag ? { ETag: etag } : {}),
    ...(status === 201 && body ? { Location: `/crm/v1/${resource.path}/${String(body['id'])}` } : {}),
    ...(replayed ? { 'Idempotency-Replayed': 'true' } : {}),
  };
  return { status, body, headers };
}
