import type { FilterQuery } from '@mikro-orm/postgresql';
import { complaint } from '../../workflows/text/complaints.ts';
import type { Column, ColumnKind } from './columns.ts';
import type { Resource } from './define-resource.ts';
import type { RecordRow } from './entity.ts';
import { Problem } from './problem.ts';

export const filterOperators = ['eq', 'ne', 'gt', 'gte', 'lt', 'lte', 'in', 'contains', 'starts', 'null'] as const;
export type FilterOperator = (typeof filterOperators)[number];

/** One `filter[field][op]=value` of a list request. */
export interface Filter {
  field: string;
  op: FilterOperator;
  value: string;
}

const ordered: readonly FilterOperator[] = ['eq', 'ne', 'gt', 'gte', 'lt', 'lte', 'in', 'null'];
const exact: readonly FilterOperator[] = ['eq', 'ne', 'in', 'null'];
const byKind: Record<ColumnKind, readonly FilterOperator[]> = {
  text: [...exact, 'contains', 'starts'],
  uuid: exact,
  reference: exact,
  choice: exact,
  boolean: ['eq', 'ne', 'null'],
  integer: ordered,
  number: ordered,
  instant: ordered,
  date: ordered,
  json: ['null'],
  list: ['contains', 'null'],
};

/** Which operators a column can be filtered by. */
export function operatorsFor(column: Column): readonly FilterOperator[] {
  return byKind[column.kind];
}

const mostValues = 100;

/** The filters of a request as a row filter; unknown fields and operators and unfit values are Problem `invalid`. */
export function filterQuery(resource: Resource, filters: readonly Filter[]): FilterQuery<RecordRow>[] {
  return filters.map(({ field, op, value }) => {
    const path = `filter[${field}][${op}]`;
    const column = resource.filterable.includes(field) ? resource.definition.columns[field] : undefined;
    if (!column) throw refusal(path, `is not a filter; filterable are ${resource.filterable.join(', ')}`);
    if (!operatorsFor(column).includes(op))
      throw refusal(path, `is not an operator of ${field}; use ${operatorsFor(column).join(', ')}`);
    const condition = { [field]: comparison(column, op, value, path) };
    // What is empty is not this value either; SQL by itself would leave it out.
    return (
      op === 'ne' && column.nullable ? { $or: [condition, { [field]: null }] } : condition
    ) as FilterQuery<RecordRow>;
  });
}

function comparison(column: Column, op: FilterOperator, value: string, path: string): unknown {
  switch (op) {
    case 'null':
      if (value !== 'true' && value !== 'false') throw refusal(path, 'must be true or false');
      return value === 'true' ? null : { $ne: null };
    case 'in': {
      const values = value.split(',');
      if (values.length > mostValues) throw refusal(path, `holds more than ${mostValues} values`);
      return { $in: values.map((one) => typed(column, one, path)) };
    }
    case 'contains':
      return column.kind === 'list'
        ? { $contains: [plainText(value, path)] }
        : { $ilike: `%${likeText(plainText(value, path))}%` };
    case 'starts':
      return { $ilike: `${likeText(plainText(value, path))}%` };
    default:
      return { [`$${op}`]: typed(column, value, path) };
  }
}

const decimal = /^-?\d{1,15}(\.\d{1,15})?$/;
const greatestInteger = 2_147_483_647;

function typed(column: Column, text: string, path: string): unknown {
  switch (column.kind) {
    case 'text':
      return plainText(text, path);
    case 'integer':
    case 'number': {
      if (!decimal.test(text)) throw refusal(path, 'must be a number');
      const parsed = Number(text);
      if (column.kind === 'integer' && !(Number.isInteger(parsed) && Math.abs(parsed) <= greatestInteger)) {
        throw refusal(path, `must be a whole number up to ${greatestInteger}`);
      }
      return parsed;
    }
    case 'boolean':
      if (text !== 'true' && text !== 'false') throw refusal(path, 'must be true or false');
      return text === 'true';
    default: {
      const parsed = column.schema.safeParse(text, { error: complaint });
      if (!parsed.success) throw refusal(path, parsed.error.issues[0]?.message ?? 'is not valid');
      return column.kind === 'instant' ? new Date(String(parsed.data)) : parsed.data;
    }
  }
}

function plainText(text: string, path: string): string {
  if (text.includes('\u0000')) throw refusal(path, 'holds a NUL character');
  if (text.length > 500) throw refusal(path, 'is longer than 500 characters');
  return text;
}

const likeText = (text: string): string => text.replace(/[\\%_]/g, (character) => `\\${character}`);

/** The text of `q=`; Problem `invalid` when there is none to search for, or the resource has no search. */
export function searchedText(resource: Resource, q: string): string {
  if (resource.definition.search.length === 0) throw refusal('q', `is not possible on ${resource.path}`);
  const text = plainText(q, 'q').trim();
  if (text === '') throw refusal('q', 'is empty');
  return text;
}

function refusal(path: string, message: string): Problem {
  return new Problem('invalid', 'The query is not valid; see errors.', [{ path, message }]);
}
