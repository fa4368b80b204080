import { addressOf } from './servers.ts';
import { createDatabase, dropDatabase } from './template-database.ts';

/** A database of the test's own on the run's PostgreSQL. */
export interface TestDatabase {
  /** The owner's URL. */
  url: string;
  /** Drops it. */
  close(): Promise<void>;
}

/** Copies the migrated template (some 50 ms); `empty` gives a database without the product's schema. */
export async function testDatabase({ empty = false } = {}): Promise<TestDatabase> {
  const url = await createDatabase(await addressOf('postgres'), empty ? 'empty' : 'template');
  return { url, close: () => dropDatabase(url) };
}
