import { isDeepStrictEqual } from 'node:util';
import type { Actor } from '../access/actor.ts';
import type { Access, Resource } from './define-resource.ts';
import { exportedProperties } from './record-json.ts';
import type { JsonRow } from './rows.ts';

const base = ['createdAt', 'createdBy', 'updatedAt', 'updatedBy', 'version', 'deletedAt'] as const;

/** The open rows of a resource: those that show a caller all that leaves the product. Others lack what is redacted. */
export function openRows({ redact }: Resource, actor: Actor): Access {
  return redact?.unless(actor) ?? true;
}

/** The same among the rows that this caller may read. */
export function openAmongReadable(resource: Resource, actor: Actor): Access {
  const open = openRows(resource, actor);
  return isDeepStrictEqual(open, resource.read(actor)) ? true : open;
}

export function isRedacted({ redact }: Resource, property: string): boolean {
  return redact?.properties.includes(property) ?? false;
}

/** Properties that a row shows, in the order of its columns. */
export function visibleProperties(resource: Resource, isOpen: boolean): string[] {
  const all = [...exportedProperties(resource.definition), ...base];
  return isOpen ? all : all.filter((property) => !isRedacted(resource, property));
}

/** Properties that this caller sees in one row at least. */
export function selectableProperties(resource: Resource, actor: Actor): string[] {
  return visibleProperties(resource, openRows(resource, actor) !== false);
}

/** A row read with its flag `isOpen`, without the flag, and without what it does not show. */
export function redactedRow(resource: Resource, { isOpen, ...row }: JsonRow): JsonRow {
  if (isOpen === true) return row;
  return Object.fromEntries(Object.entries(row).filter(([property]) => !isRedacted(resource, property))) as JsonRow;
}
