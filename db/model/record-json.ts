import type { Resource } from './define-resource.ts';
import type { EntityDefinition, RecordRow } from './entity.ts';

/** A record as the API shows it: instants are ISO 8601 strings, references are identifiers. */
export type RecordJson = Record<string, unknown>;

/** The entity's own properties that leave the product at all. */
export function exportedProperties(definition: EntityDefinition): string[] {
  return Object.entries(definition.columns).flatMap(([property, column]) => (column.internal ? [] : [property]));
}

/** Picks `properties` (and always `id`) of a row, ready for `JSON.stringify`. */
export function recordJson(row: RecordRow, properties: readonly string[]): RecordJson {
  return { id: row.id, ...Object.fromEntries(properties.map((property) => [property, jsonValue(row[property])])) };
}

/** A stored value as JSON carries it; absent is null. */
export function jsonValue(value: unknown): unknown {
  if (value === undefined || value === null) return null;
  return value instanceof Date ? value.toISOString() : value;
}

/** What a record's timeline and audit call it: `assignment rule` is stored as `assignment_rule`. */
export function subjectTypeOf(resource: Resource): string {
  return resource.title.replaceAll(' ', '_');
}
