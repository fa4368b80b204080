import { afterAll, beforeAll } from '@jest/globals';
import { type Database, openDatabase } from '../../db/database.ts';
import { Problem, type ProblemCode } from '../../db/model/problem.ts';
import { testDatabase } from '../support/database.ts';

export interface DatabaseFixture {
  /** The owner's URL. */
  url: string;
  /** As the API connects: row-level security applies. */
  app: Database;
  /** As the relay connects: sees all organisations. */
  relay: Database;
}

/**
 * A migrated database for the tests of one file, opened in both roles; filled in before the first test. `prepare` gets
 * the owner's URL before it is opened.
 */
export function databaseFixture(prepare: (url: string) => Promise<void> = () => Promise.resolve()): DatabaseFixture {
  const fixture = {} as DatabaseFixture;
  const closing: (() => Promise<void>)[] = [];
  beforeAll(async () => {
    const { url, close } = await testDatabase();
    closing.push(close);
    await prepare(url);
    const app = await openDatabase({ url, role: 'crm_app' });
    const relay = await openDatabase({ url, role: 'crm_relay', size: 4 });
    closing.push(app.close, relay.close);
    Object.assign(fixture, { url, app, relay });
  });
  afterAll(async () => {
    for (const close of closing.toReversed()) await close();
  });
  return fixture;
}

/** What a promise is refused with; throws when it is not, or when it fails with anything but a Problem. */
export async function refusalOf(work: Promise<unknown>): Promise<Problem> {
  const outcome = await work.then(
    (answer) => ({ answer }),
    (error: unknown) => error,
  );
  if (outcome instanceof Problem) return outcome;
  throw outcome instanceof Error ? outcome : new Error(`Not refused, but answered ${JSON.stringify(outcome)}`);
}

/** Its code alone. */
export async function refusalCode(work: Promise<unknown>): Promise<ProblemCode> {
  return (await refusalOf(work)).code;
}
