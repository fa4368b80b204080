import type { EntityManager } from '@mikro-orm/postgresql';
import { executePrepared } from './prepared.ts';
import { columnName, type EntityDefinition, schema } from './entity.ts';

/** Rows to insert into one table: property -> value; every row names the same properties. */
export interface Insertion {
  into: EntityDefinition;
  rows: readonly Readonly<Record<string, unknown>>[];
  /** Passes over rows that a unique index knows already. */
  unlessKnown?: boolean;
}

/** A further data-modifying statement that goes along, with `?` for its parameters. */
export interface Statement {
  sql: string;
  parameters: readonly unknown[];
}

/**
 * Inserts rows of several tables in one statement, in the caller's transaction: one round trip on the hot path where
 * the unit of work would take one for each table. Foreign keys among the rows hold, since they are checked at the end
 * of the statement.
 */
export async function insertRows(
  em: EntityManager,
  insertions: readonly Insertion[],
  statements: readonly Statement[] = [],
): Promise<void> {
  const filled = insertions.filter(({ rows }) => rows.length > 0);
  if (filled.length + statements.length === 0) return;
  const parts = filled.map(({ into, rows, unlessKnown }, index) => {
    const properties = Object.keys(rows[0] ?? {}).map((property) => [property, columnName(into, property)] as const);
    const columns = properties.map(([, column]) => `"${column}"`).join(', ');
    const table = `"${schema}"."${into.table}"`;
    const json = rows.map((row) =>
      Object.fromEntries(properties.map(([property, column]) => [column, row[property] ?? null])),
    );
    return {
      sql: `i${index} as (insert into ${table} (${columns}) select ${columns} from jsonb_populate_recordset(null::${table}, ?::jsonb)${unlessKnown ? ' on conflict do nothing' : ''})`,
      parameters: [JSON.stringify(json)] as readonly unknown[],
    };
  });
  const all = [
    ...parts,
    ...statements.map(({ sql, parameters }, index) => ({ sql: `s${index} as (${sql})`, parameters })),
  ];
  await executePrepared(
    em,
    `with ${all.map(({ sql }) => sql).join(', ')} select 1`,
    all.flatMap(({ parameters }) => parameters),
  );
}

/** Puts the rows of several insertions into the same table together: one statement names each table once. */
export function gather(insertions: readonly Insertion[]): Insertion[] {
  const byTable = new Map<string, Insertion>();
  for (const insertion of insertions) {
    const { into, rows } = insertion;
    byTable.set(into.table, { ...insertion, rows: [...(byTable.get(into.table)?.rows ?? []), ...rows] });
  }
  return [...byTable.values()];
}
