import { z } from 'zod';
import { complaint } from '../../workflows/text/complaints.ts';
import type { Column } from './columns.ts';
import type { Resource } from './define-resource.ts';
import { Problem, type ProblemEntry } from './problem.ts';
import { exportedProperties } from './record-json.ts';

const instantOut = z.iso.datetime({ offset: true });

function columnOf(resource: Resource, property: string): Column {
  const column = resource.definition.columns[property];
  if (!column) throw new Error(`${resource.path} has no column ${property}`);
  return column;
}

function writable(column: Column): z.ZodType {
  return column.nullable ? column.schema.nullable() : column.schema;
}

/** Body of POST: strict; required are the columns that are neither nullable nor have a default. */
export function createSchema(resource: Resource): z.ZodObject {
  return z.strictObject(
    Object.fromEntries(
      resource.creatable.map((property) => {
        const column = columnOf(resource, property);
        const schema = writable(column);
        return [property, column.nullable || column.defaultValue !== undefined ? schema.optional() : schema];
      }),
    ),
  );
}

/** Body of PUT: the whole of what a client may change; what is left out goes back to null or its default. */
export function replaceSchema(resource: Resource): z.ZodObject {
  return z.strictObject(
    Object.fromEntries(
      resource.patchable.map((property) => {
        const column = columnOf(resource, property);
        const schema = writable(column);
        return [property, column.nullable || column.defaultValue !== undefined ? schema.optional() : schema];
      }),
    ),
  );
}

/** Body of PATCH (RFC 7396 on the top level): every property optional, `null` empties a nullable one. */
export function patchSchema(resource: Resource): z.ZodObject {
  return z.strictObject(
    Object.fromEntries(
      resource.patchable.map((property) => [property, writable(columnOf(resource, property)).optional()]),
    ),
  );
}

/** One record as the API shows it; redacted and unselected properties are absent, hence all but `id` optional. */
export function recordSchema(resource: Resource): z.ZodObject {
  const own = Object.fromEntries(
    exportedProperties(resource.definition).map((property) => [
      property,
      writable(columnOf(resource, property)).optional(),
    ]),
  );
  return z.object({
    id: z.uuid(),
    ...own,
    createdAt: instantOut.optional(),
    createdBy: z.string().optional(),
    updatedAt: instantOut.optional(),
    updatedBy: z.string().optional(),
    version: z.int().optional(),
    deletedAt: instantOut.nullable().optional(),
  });
}

/** Zod's issues as problem entries with a readable JSON path. */
export function problemEntries(error: z.ZodError): ProblemEntry[] {
  return error.issues.flatMap((issue) => {
    const path = jsonPath(issue.path);
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map((key) => ({
        path: jsonPath([...issue.path, key]),
        message: 'is not a field of this request',
      }));
    }
    return [{ path, message: issue.message }];
  });
}

function jsonPath(path: readonly PropertyKey[]): string {
  return path.reduce<string>(
    (text, part) =>
      typeof part === 'number' ? `${text}[${part}]` : text === '' ? String(part) : `${text}.${String(part)}`,
    '',
  );
}

/** Parses by a schema or throws the Problem `invalid` that names every wrong place. */
export function parseOrRefuse<S extends z.ZodType>(schema: S, input: unknown, what: string): z.output<S> {
  const parsed = schema.safeParse(input, { error: complaint });
  if (parsed.success) return parsed.data;
  throw new Problem('invalid', `${what} is not valid; see errors.`, problemEntries(parsed.error));
}
