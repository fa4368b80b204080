import type { EntityManager } from '@mikro-orm/postgresql';
import { createHash } from 'node:crypto';
import { CompiledQuery } from 'kysely';

/** A statement under the name by which each connection prepares it once; `$1`, `$2`, … in its text. */
interface Prepared {
  name: string;
  text: string;
}

const known = new Map<string, Prepared>();

/**
 * Runs a statement, with `?` for its parameters, that every connection parses and plans only the first time: on the
 * hot path planning costs more than running. For texts that the code writes, never for ones made of input: their number
 * must stay small. Parameters whose type PostgreSQL can't tell need a cast (`?::text`).
 */
export async function executePrepared<Row>(
  em: EntityManager,
  sql: string,
  parameters: readonly unknown[],
): Promise<Row[]> {
  const prepared = known.get(sql) ?? prepare(sql);
  // The driver (pg) takes a configuration with a name where Kysely knows only of a text, and writes into it.
  const query = CompiledQuery.raw({ ...prepared } as unknown as string, [...parameters]);
  const { rows } = await em.getKysely().executeQuery<Row>(query as CompiledQuery<Row>);
  return rows;
}

function prepare(sql: string): Prepared {
  let count = 0;
  const text = sql.replaceAll('?', () => `$${++count}`);
  const prepared = { name: `crm_${createHash('sha256').update(text).digest('hex').slice(0, 24)}`, text };
  known.set(sql, prepared);
  return prepared;
}
