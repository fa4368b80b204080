import type { FilterQuery } from '@mikro-orm/postgresql';
import type { z } from 'zod';
import type { Actor } from '../access/actor.ts';
import type { Columns, EntityDefinition, RecordRow } from './entity.ts';
import type { ProblemEntry } from './problem.ts';

/** Which rows: all (`true`), none (`false`), or those that match. */
export type Access = boolean | FilterQuery<RecordRow>;
export type AccessRule = (actor: Actor) => Access;

/** Properties that a caller sees in some rows alone (contact data), and in which; elsewhere they are absent. */
export interface Redaction<Property extends string = string> {
  properties: readonly Property[];
  /** Rows that show them, of those that the caller may read. */
  unless: AccessRule;
}

type Names<C extends Columns> = readonly (keyof C & string)[];

/** A record of another resource under the same key: a user at work, and who they are to the SSO. */
export interface Counterpart<Property extends string = string> {
  resource: Resource;
  /** What a counterpart that is there already is known by. */
  match: Property;
  /** What both have, `match` included: what a write gives here, it gives there. */
  properties: readonly Property[];
}

export interface ResourceOptions<C extends Columns> {
  /** Plural kebab-case: the route is `/crm/v1/{path}`. */
  path: string;
  /** One record in words, for problems and documentation: `assignment rule`. */
  title: string;
  /** Properties a client may give when it creates a record; none: the records are made by processes alone. */
  creatable: Names<C>;
  /** Properties a client may change afterwards; none: the records are immutable. */
  patchable: Names<C>;
  filterable: Names<C>;
  sortable: readonly ((keyof C & string) | 'createdAt' | 'updatedAt')[];
  /** Name in `expand=` -> the reference property it follows. */
  expandable?: Readonly<Record<string, keyof C & string>>;
  read: AccessRule;
  write: AccessRule;
  /** Who may delete and restore which rows; default `write`. */
  remove?: AccessRule;
  /** Soft delete and restore through the generic verbs; default true where the record can be created. */
  removable?: boolean;
  /** Properties that only a process changes, and the command to use instead. */
  processOwned?: Partial<Readonly<Record<keyof C & string, string>>>;
  /** Process that these records are the life of: a generic create is its starting command; removal ends it. */
  process?: { name: string; create: { route: string; body: z.ZodType } };
  /** The reference by which these records are one below the other: none comes to be its own ancestor. */
  hierarchy?: keyof C & string;
  /** The other record under the same key: made, changed, removed and restored along with this one. */
  counterpart?: Counterpart<keyof C & string>;
  /** Columns that follow from others (a comparison key of a name), computed at every write; `before` null: it is made. */
  derived?: Partial<
    Readonly<
      Record<keyof C & string, (record: Record<string, unknown>, before: Record<string, unknown> | null) => unknown>
    >
  >;
  /** Rules over the whole record at the receipt of the write, after each column's own; entries say what is wrong. */
  rules?: (record: Record<string, unknown>, at: Date) => ProblemEntry[];
  /** Values for the example of a body that the columns alone can't tell, since `rules` bind several of them. */
  example?: Partial<Readonly<Record<keyof C & string, unknown>>>;
  /**
   * Remarks on an accepted record beside the others of its kind (an unreachable rule), and what it was before (null: just
   * made); answered as `warnings`.
   */
  warn?: (row: RecordRow, others: readonly RecordRow[], before: RecordRow | null) => string[];
  redact?: Redaction<keyof C & string>;
  /** Feature flag `crm_feature_{feature}`: off means 404 `feature_disabled`. Null: nobody can switch it off. */
  feature: string | null;
  /** Writes put a domain event into the outbox: `calendar` -> `calendar.created`, `.updated`, `.removed`, `.restored`. */
  emits?: string;
}

export interface Resource<C extends Columns = Columns> extends ResourceOptions<C> {
  readonly definition: EntityDefinition<C>;
  readonly removable: boolean;
  readonly remove: AccessRule;
}

/** Makes an entity a resource: only what its columns can't say. Four interpreters read the result. */
export function resource<C extends Columns>(definition: EntityDefinition<C>, options: ResourceOptions<C>): Resource {
  const emptied = options.sortable.find((property) => definition.columns[property]?.nullable);
  if (emptied)
    throw new Error(
      `${options.path} cannot be sorted by ${emptied}: a keyset cursor would lose the rows where it is empty`,
    );
  const defaults = { removable: options.creatable.length > 0, remove: options.write };
  return { ...defaults, ...options, definition } as unknown as Resource;
}
