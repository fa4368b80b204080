import { defineEntity, type EntityName, p } from '@mikro-orm/postgresql';
import type { Column } from './columns.ts';

/** The PostgreSQL schema of every table; nothing lives outside it (spec/2, global guardrails). */
export const schema = 'crm_core';

export type Columns = Record<string, Column>;

export interface EntityDefinition<C extends Columns = Columns> {
  readonly name: string;
  readonly table: string;
  /** Column of the primary key, such as `lead_id`; the property is always `id`. */
  readonly key: string;
  readonly columns: C;
  /** Properties whose text `q=` searches (full text and trigram). */
  readonly search: readonly string[];
  readonly entity: EntityName<RecordRow>;
}

/** What every row has besides its own columns. */
export interface BaseRow {
  id: string;
  organizationId: string;
  createdAt: Date;
  createdBy: string;
  updatedAt: Date;
  updatedBy: string;
  version: number;
  deletedAt: Date | null;
}

/** A row whose own columns are known only by its entity's table of columns. */
export type RecordRow = BaseRow & Record<string, unknown>;

/** The stored values of one entity: its own columns and those that every record has. */
export type RowOf<E extends EntityDefinition> = BaseRow & {
  [K in keyof E['columns']]: E['columns'][K] extends Column<infer V> ? V : never;
};

/** A trigger for each row; `body` is PL/pgSQL on one line, without `begin` and `end`. */
export interface RowTrigger {
  name: string;
  timing: 'before' | 'after';
  events: readonly ('insert' | 'update' | 'delete')[];
  body: string;
}

interface EntityOptions<C extends Columns> {
  triggers?: readonly RowTrigger[];
  key: string;
  columns: C;
  search?: readonly (keyof C & string)[];
  /** Each becomes a unique index over the organisation and these properties, among rows that are not deleted. */
  uniques?: readonly (readonly (keyof C & string)[])[];
  /** Each becomes an index over the organisation and these expressions, such as `assigned_user_id` or `created_at desc`. */
  indexes?: readonly { name: string; columns: string; where?: string; unique?: true }[];
}

const snake = (property: string): string => property.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/** The database column of a property: `assignedUserId` is stored in `assigned_user_id`, `id` in the entity's key. */
export function columnName(definition: Pick<EntityDefinition, 'key' | 'columns'>, property: string): string {
  return property === 'id' ? definition.key : (definition.columns[property]?.columnName ?? snake(property));
}

const inOrganization = `organization_id = nullif(current_setting('crm.organization_id', true), '')::uuid`;

/** Text that a search compares, folded to lower case without accents by `crm_core.fold` (made by the first migration). */
const searchText = (names: readonly string[]): string =>
  `crm_core.fold(${names.map((name) => `coalesce(${name}, '')`).join(` || ' ' || `)})`;

/**
 * Defines a table: its own columns between the columns that every record has (organisation, authorship, version,
 * soft delete), row-level security that shows the application's role one organisation and the relay's role all.
 */
export function entity<const C extends Columns>(
  name: string,
  table: string,
  options: EntityOptions<C>,
): EntityDefinition<C> {
  const own = Object.fromEntries(
    Object.entries(options.columns).map(([property, column]) => [
      property,
      column.property(column.columnName ?? snake(property)),
    ]),
  );
  const search = options.search ?? [];
  const searchable =
    search.length === 0
      ? {}
      : {
          searchText: p
            .text()
            .name('search_text')
            .generated(`(${searchText(search.map((property) => columnName(options, property)))}) stored`)
            .nullable()
            .hidden()
            .lazy(),
        };
  const searchIndexes =
    search.length === 0
      ? []
      : [
          {
            name: `${table}_fulltext`,
            expression: `create index "${table}_fulltext" on "${schema}"."${table}" using gin (to_tsvector('simple', search_text))`,
          },
          {
            name: `${table}_trigram`,
            expression: `create index "${table}_trigram" on "${schema}"."${table}" using gin (search_text gin_trgm_ops)`,
          },
        ];
  const definition = defineEntity({
    name,
    tableName: table,
    schema,
    properties: {
      id: p.uuid().primary().name(options.key),
      // An organisation is its own: its key is the column that every other table is isolated by.
      ...(options.key === 'organization_id' ? {} : { organizationId: p.uuid() }),
      ...own,
      ...searchable,
      createdAt: p.datetime(3),
      createdBy: p.string().length(120),
      updatedAt: p.datetime(3),
      updatedBy: p.string().length(120),
      version: p.integer().version().default(1),
      deletedAt: p.datetime(3).nullable(),
    },
    rowLevelSecurity: 'force',
    policies: [
      { name: `${table}_organization`, roles: ['crm_app'], using: inOrganization, check: inOrganization },
      { name: `${table}_relay`, roles: ['crm_relay'], using: 'true', check: 'true' },
    ],
    filters: {
      organization: {
        name: 'organization',
        cond: ({ organizationId }: { organizationId: string }) => ({
          [options.key === 'organization_id' ? 'id' : 'organizationId']: organizationId,
        }),
        default: true,
      },
    },
    triggers: (options.triggers ?? []).map((trigger) => ({ ...trigger, forEach: 'row' })),
    uniques: (options.uniques ?? []).map((properties) => ({
      name: `${table}_${properties.map(snake).join('_')}_unique`,
      properties: [...(options.key === 'organization_id' ? [] : ['organizationId']), ...properties],
      where: { deletedAt: null },
    })),
    indexes: [
      {
        name: `${table}_newest`,
        expression: `create index "${table}_newest" on "${schema}"."${table}" (organization_id, created_at desc, ${options.key} desc) where deleted_at is null`,
      },
      ...(options.indexes ?? []).map((index) => ({
        name: `${table}_${index.name}`,
        expression: `create ${index.unique ? 'unique ' : ''}index "${table}_${index.name}" on "${schema}"."${table}" (organization_id, ${index.columns})${index.where ? ` where ${index.where}` : ''}`,
      })),
      ...searchIndexes,
    ],
  } as unknown as Parameters<typeof defineEntity>[0]);
  return {
    name,
    table,
    key: options.key,
    columns: options.columns,
    search,
    entity: definition as unknown as EntityName<RecordRow>,
  };
}
