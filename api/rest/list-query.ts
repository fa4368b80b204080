import type { Resource } from '../../db/model/define-resource.ts';
import { type Filter, type FilterOperator, operatorsFor } from '../../db/model/filters.ts';
import { Problem } from '../../db/model/problem.ts';
import type { ListQuery } from '../../db/records.ts';
import type { Column } from '../../db/model/columns.ts';
import { jsonSchema, type JsonSchema } from '../json-schema.ts';
import type { CallerRequest, Parameter } from '../route.ts';

const mostRows = 200;
const usualRows = 50;

/** `limit` and `cursor`, which every list has. */
export const pageParameters: readonly Parameter[] = [
  {
    component: 'Limit',
    name: 'limit',
    in: 'query',
    description: `Rows in one answer, ${usualRows} if left out.`,
    schema: { type: 'integer', minimum: 1, maximum: mostRows, default: usualRows },
  },
  {
    component: 'Cursor',
    name: 'cursor',
    in: 'query',
    description: '`nextCursor` of the answer before, with the same filters and order.',
    schema: { type: 'string', minLength: 1, maxLength: 2000 },
  },
];

/** `fields` and `expand`, which lists and single records have. */
export function selectionParameters(resource: Resource): Parameter[] {
  const expandable = Object.keys(resource.expandable ?? {});
  const fields: Parameter = {
    name: 'fields',
    in: 'query',
    description: 'Only these properties (and `id`), separated by commas.',
    schema: { type: 'string', pattern: '^[A-Za-z]+(,[A-Za-z]+)*$' },
  };
  const expand: Parameter = {
    name: 'expand',
    in: 'query',
    description: `Also the records behind references, separated by commas: ${expandable.join(', ')}.`,
    schema: { type: 'string', pattern: commaSeparated(expandable) },
  };
  return expandable.length === 0 ? [fields] : [fields, expand];
}

/** Every parameter of a resource's list. */
export function listParameters(resource: Resource): Parameter[] {
  const search: Parameter = {
    name: 'q',
    in: 'query',
    description: 'Whole words, or any part of a word; case and accents make no difference.',
    schema: { type: 'string', minLength: 1, maxLength: 500, pattern: '\\S' },
  };
  return [
    ...filterParameters(resource),
    {
      name: 'sort',
      in: 'query',
      description: `Order, separated by commas, \`-\` for descending: ${resource.sortable.join(', ')}.`,
      schema: { type: 'string', pattern: commaSeparated(resource.sortable.flatMap((name) => [name, `-${name}`])) },
    },
    ...(resource.definition.search.length === 0 ? [] : [search]),
    ...selectionParameters(resource),
    ...pageParameters,
  ];
}

function filterParameters(resource: Resource): Parameter[] {
  return resource.filterable.flatMap((field) => {
    const column = resource.definition.columns[field];
    if (!column) throw new Error(`${resource.path} filters by ${field}, which is not a column.`);
    return operatorsFor(column).map((op): Parameter => ({
      name: `filter[${field}][${op}]`,
      in: 'query',
      description: `\`${field}\` ${operatorWords[op]}`,
      schema: valueSchema(column, op),
    }));
  });
}

const operatorWords: Readonly<Record<FilterOperator, string>> = {
  eq: 'is this',
  ne: 'is not this',
  gt: 'is greater',
  gte: 'is this or greater',
  lt: 'is less',
  lte: 'is this or less',
  in: 'is one of these, separated by commas',
  contains: 'contains this',
  starts: 'starts with this',
  null: 'is empty (true) or not (false)',
};

function valueSchema(column: Column, op: FilterOperator): JsonSchema {
  if (op === 'null') return { type: 'boolean' };
  if (op === 'in')
    return column.kind === 'text'
      ? { type: 'string', maxLength: 2_000 }
      : { type: 'string', pattern: '^[!-~]{1,4000}$' };
  if (column.kind === 'text' || op === 'contains') return { type: 'string', maxLength: 500 };
  return jsonSchema(column.schema, 'input');
}

const commaSeparated = (names: readonly string[]): string => `^(${names.join('|')})(,(${names.join('|')}))*$`;

/** What a list request asks for; names and values are checked by the records service. Problem `invalid` for a broken shape. */
export function readListQuery({ query }: CallerRequest): ListQuery {
  return {
    filters: [...query].flatMap(([name, value]) => readFilter(name, value)),
    sort: names(query, 'sort').map((name) =>
      name.startsWith('-') ? { field: name.slice(1), direction: 'desc' } : { field: name, direction: 'asc' },
    ),
    ...(query.has('q') ? { q: query.get('q') } : {}),
    ...readSelection(query),
    ...readPage(query),
  };
}

/** `fields` and `expand` of a request. */
export function readSelection(query: CallerRequest['query']): Pick<ListQuery, 'fields' | 'expand'> {
  return {
    ...(query.has('fields') ? { fields: names(query, 'fields') } : {}),
    ...(query.has('expand') ? { expand: names(query, 'expand') } : {}),
  };
}

/** `limit` and `cursor` of a request. */
export function readPage(query: CallerRequest['query']): Pick<ListQuery, 'limit' | 'cursor'> {
  const limit = query.get('limit') ?? String(usualRows);
  if (!/^\d{1,3}$/.test(limit) || Number(limit) < 1 || Number(limit) > mostRows) {
    throw refusal('limit', `must be a whole number from 1 to ${mostRows}`);
  }
  return { limit: Number(limit), ...(query.has('cursor') ? { cursor: query.get('cursor') } : {}) };
}

// Which fields and operators there are was checked with the names of the parameters.
function readFilter(name: string, value: string): Filter[] {
  const [, field, op] = /^filter\[(\w+)\]\[(\w+)\]$/.exec(name) ?? [];
  return field && op ? [{ field, op: op as FilterOperator, value }] : [];
}

function names(query: CallerRequest['query'], parameter: string): string[] {
  const given = query.get(parameter);
  if (given === undefined) return [];
  const list = given.split(',').map((name) => name.trim());
  if (list.includes('')) throw refusal(parameter, 'must be names separated by commas');
  const twice = list.find((name, index) => list.indexOf(name) !== index);
  if (twice !== undefined) throw refusal(parameter, `names ${twice} twice`);
  return list;
}

function refusal(path: string, message: string): Problem {
  return new Problem('invalid', 'The query is not valid; see errors.', [{ path, message }]);
}
