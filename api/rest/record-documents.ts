import type { Column } from '../../db/model/columns.ts';
import type { Resource } from '../../db/model/define-resource.ts';
import { createSchema, patchSchema, recordSchema, replaceSchema } from '../../db/model/schemas.ts';
import { jsonSchema, type JsonSchema } from '../json-schema.ts';
import type { NamedSchema } from '../route.ts';

export const mostOperations = 1_000;

/** The schemas of one resource as documents name them: `Lead`, `LeadPatch`, `LeadPage`, … */
export interface ResourceDocuments {
  record: NamedSchema;
  page: NamedSchema;
  create: NamedSchema;
  replace: NamedSchema;
  patch: NamedSchema;
  bulk: NamedSchema;
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
    create: { name: `${name}Create`, schema: jsonSchema(create, 'input') },
    replace: { name: `${name}Replace`, schema: jsonSchema(replaceSchema(resource), 'input') },
    patch: { name: `${name}Patch`, schema: jsonSchema(patchSchema(resource), 'input') },
    bulk: { name: `${name}Bulk`, schema: bulkSchema(name, resource) },
    outcomes: { name: `${name}Outcomes`, schema: outcomesSchema(reference) },
  };
}

/** A page of records: `{data, nextCursor, hasMore}`. */
export function pageOf(name: string, item: JsonSchema): NamedSchema {
  return {
    name: `${name}Page`,
    schema: {
      type: 'object',
      properties: { data: { type: 'array', items: item }, nextCursor: { type: ['string', 'null'] }, hasMore: { type: 'boolean' } },
      required: ['data', 'nextCursor', 'hasMore'],
    },
  };
}

/** Pages of `/timeline` and `/audit`. */
export const historyPages = {
  timeline: pageOf('TimelineEntry', { $ref: '#/components/schemas/TimelineEntry' }),
  audit: pageOf('AuditEntry', { $ref: '#/components/schemas/AuditEntry' }),
};

/** A record as it is answered: its visible columns, and what `expand` may add. */
function recordDocument(resource: Resource): JsonSchema {
  const { additionalProperties: _, properties = {}, ...schema } = jsonSchema(recordSchema(resource), 'output');
  const { columns } = resource.definition;
  const visible = Object.entries(properties as JsonSchema).filter(([property]) => columns[property]?.internal !== true);
  const expanded = Object.keys(resource.expandable ?? {}).map((expansion) => [expansion, { type: ['object', 'null'] }]);
  return { ...schema, properties: Object.fromEntries([...visible, ...expanded]) };
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

export const isCreatable = (resource: Resource): boolean => resource.creatable.length > 0 || resource.process !== undefined;
export const isChangeable = (resource: Resource): boolean => resource.patchable.length > 0;

/** A body that can be pasted: what must be given, and the texts and choices that make it readable. */
export function exampleBody(resource: Resource, properties: readonly string[], { whole }: { whole: boolean }): Record<string, unknown> {
  const { columns } = resource.definition;
  const wanted = properties.filter((property) => {
    const column = columns[property];
    return column && (whole ? !column.nullable && column.defaultValue === undefined : true);
  });
  const names = wanted.length > 0 ? wanted : properties.slice(0, 1);
  return Object.fromEntries((whole ? names : names.slice(0, 1)).map((property) => [property, exampleValue(property, columns[property])]));
}

function exampleValue(property: string, column: Column | undefined): unknown {
  const example = column?.schema.meta()?.['example'];
  if (example !== undefined) return example;
  switch (column?.kind) {
    case 'integer':
    case 'number':
      return 1;
    case 'boolean':
      return true;
    case 'instant':
      return '2026-11-23T09:00:00Z';
    case 'date':
      return '2026-11-23';
    case 'choice':
      return (jsonSchema(column.schema, 'input')['enum'] as unknown[] | undefined)?.[0];
    case 'uuid':
    case 'reference':
      return '019aa000-0000-7000-8000-000000000001';
    case 'list':
      return [];
    case 'json':
      return {};
    default:
      return /email$/i.test(property) ? 'ada@example.com' : `Example ${property}`;
  }
}
