import type { z } from 'zod';
import type { Resource } from '../../db/model/define-resource.ts';
import { exampleId } from '../../db/model/example-ids.ts';
import { createSchema, patchSchema, recordSchema, replaceSchema } from '../../db/model/schemas.ts';
import { resourceOf } from '../../db/registry.ts';
import { exampleOf } from '../json-example.ts';
import { jsonSchema, type JsonSchema } from '../json-schema.ts';
import type { NamedSchema } from '../route.ts';

export const mostOperations = 1_000;

/** A request body with its example. */
interface DocumentedBody {
  content: NamedSchema;
  example: unknown;
}

/** The schemas of one resource as documents name them: `Lead`, `LeadPatch`, `LeadPage`, … */
export interface ResourceDocuments {
  record: NamedSchema;
  page: NamedSchema;
  create: DocumentedBody;
  replace: DocumentedBody;
  patch: DocumentedBody;
  bulk: DocumentedBody;
  outcomes: NamedSchema;
}

export function documentsOf(resource: Resource): ResourceDocuments {
  const { name } = resource.definition;
  const record = { name, schema: recordDocument(resource) };
  const create = resource.process ? resource.process.create.body : createSchema(resource);
  const reference: JsonSchema = { $ref: `#/components/schemas/${name}` };
  return {
    record,
    page: pageOf(name, reference),
    create: documentedBody(`${name}Create`, create, resource, 'Example'),
    replace: documentedBody(`${name}Replace`, replaceSchema(resource), resource, 'Changed'),
    patch: documentedBody(`${name}Patch`, patchSchema(resource), resource, 'Changed'),
    bulk: {
      content: { name: `${name}Bulk`, schema: bulkSchema(name, resource) },
      example: bulkExample(resource, create),
    },
    outcomes: { name: `${name}Outcomes`, schema: outcomesSchema(reference) },
  };
}

function documentedBody(name: string, body: z.ZodType, resource: Resource, word: Word): DocumentedBody {
  const schema = bodySchema(resource, body);
  return { content: { name, schema }, example: exampleBody(resource, schema, word) };
}

/** Bodies that are sent to one collection differ by these in what is unique. */
const words = ['Example', 'Another', 'Changed'] as const;
type Word = (typeof words)[number];

function exampleBody(resource: Resource, schema: JsonSchema, word: Word): object {
  const own = exampleOf(schema, { text: `${word} ${resource.title}`, index: words.indexOf(word) }) as object;
  // A change of one property leaves the others as they are.
  if (!Array.isArray(schema['required'])) return own;
  const bound = Object.entries(resource.example ?? {}).filter(([property]) => property in propertiesOf(schema));
  return { ...own, ...Object.fromEntries(bound) };
}

/** The schema of a body, with the record that each reference names. */
function bodySchema({ definition: { columns } }: Resource, body: z.ZodType): JsonSchema {
  const schema = jsonSchema(body, 'input');
  const named = Object.entries(propertiesOf(schema)).map(([property, described]) => {
    const target = columns[property]?.target?.();
    const path = target && resourceOf(target)?.path;
    if (!path) return [property, described];
    return [property, { ...described, description: `The \`id\` of one of /crm/v1/${path}.`, 'x-record': target.name }];
  });
  return { ...schema, properties: Object.fromEntries(named) };
}

const propertiesOf = (schema: JsonSchema) => (schema['properties'] ?? {}) as Record<string, JsonSchema>;

/** A page of records: `{data, nextCursor, hasMore}`. */
export function pageOf(name: string, item: JsonSchema): NamedSchema {
  return {
    name: `${name}Page`,
    schema: {
      type: 'object',
      properties: {
        data: { type: 'array', items: item },
        nextCursor: { type: ['string', 'null'] },
        hasMore: { type: 'boolean' },
      },
      required: ['data', 'nextCursor', 'hasMore'],
    },
  };
}

/** Pages of `/timeline` and `/audit`. */
export const historyPages = {
  timeline: pageOf('TimelineEntry', { $ref: '#/components/schemas/TimelineEntry' }),
  audit: pageOf('AuditEntry', { $ref: '#/components/schemas/AuditEntry' }),
};

/** A record as it is answered: its visible columns, what `expand` may add, and what its author is warned of. */
function recordDocument(resource: Resource): JsonSchema {
  const { additionalProperties: _, properties = {}, ...schema } = jsonSchema(recordSchema(resource), 'output');
  const { columns } = resource.definition;
  const visible = Object.entries(properties as JsonSchema).filter(([property]) => columns[property]?.internal !== true);
  const expanded = Object.keys(resource.expandable ?? {}).map((expansion) => [expansion, { type: ['object', 'null'] }]);
  const remarks = resource.warn ? { warnings: { type: 'array', items: { type: 'string' } } } : {};
  return { ...schema, properties: { ...Object.fromEntries([...visible, ...expanded]), ...remarks } };
}

function bulkSchema(name: string, resource: Resource): JsonSchema {
  const ref = (suffix: string): JsonSchema => ({ $ref: `#/components/schemas/${name}${suffix}` });
  const target = { id: { type: 'string', format: 'uuid' }, version: { type: 'integer', minimum: 1 } };
  const operation = (method: string, properties: JsonSchema): JsonSchema => ({
    type: 'object',
    properties: { method: { const: method }, ...properties },
    required: ['method', ...Object.keys(properties)],
    additionalProperties: false,
  });
  const operations = [
    ...(isCreatable(resource) ? [operation('create', { body: ref('Create') })] : []),
    ...(isChangeable(resource) ? [operation('update', { ...target, body: ref('Patch') })] : []),
    ...(resource.removable ? [operation('remove', target)] : []),
  ];
  return {
    type: 'object',
    properties: { operations: { type: 'array', minItems: 1, maxItems: mostOperations, items: { oneOf: operations } } },
    required: ['operations'],
    additionalProperties: false,
  };
}

function bulkExample(resource: Resource, create: z.ZodType): unknown {
  const bodyOf = (body: z.ZodType) => exampleBody(resource, bodySchema(resource, body), 'Another');
  if (isCreatable(resource)) return { operations: [{ method: 'create', body: bodyOf(create) }] };
  const target = { id: exampleId(resource.definition.name), version: 1 };
  if (isChangeable(resource))
    return { operations: [{ method: 'update', ...target, body: bodyOf(patchSchema(resource)) }] };
  return { operations: [{ method: 'remove', ...target }] };
}

function outcomesSchema(record: JsonSchema): JsonSchema {
  const problem = {
    type: 'object',
    properties: {
      status: { type: 'integer' },
      code: { type: 'string' },
      detail: { type: 'string' },
      errors: { type: 'array', items: { type: 'object' } },
    },
    required: ['status', 'code', 'detail'],
  };
  const outcome = {
    type: 'object',
    properties: {
      index: { type: 'integer', minimum: 0 },
      status: { type: 'integer' },
      id: { type: 'string', format: 'uuid' },
      record: { anyOf: [record, { type: 'null' }] },
      problem,
    },
    required: ['index', 'status'],
  };
  return { type: 'object', properties: { outcomes: { type: 'array', items: outcome } }, required: ['outcomes'] };
}

export const isCreatable = (resource: Resource): boolean =>
  resource.creatable.length > 0 || resource.process !== undefined;
export const isChangeable = (resource: Resource): boolean => resource.patchable.length > 0;
