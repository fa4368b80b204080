import pg from 'pg';
import type { Env } from '../runtime/env.ts';
import { runningState } from '../runtime/run-state.ts';
import { CommandFailed } from './output.ts';

/** The owner's URL of the database: DATABASE_URL, or that of the running installation. Throws CommandFailed when there is neither. */
export function databaseUrlOf(env: Env): string {
  const url = env.DATABASE_URL ?? runningState(env.DATA_DIR)?.databaseUrl;
  if (url) return url;
  throw new CommandFailed('No database: start one with `npm start`, or set DATABASE_URL.', 3);
}

/** Runs `work` on a connection that sees every organisation, and closes it. */
export async function withDatabase<Result>(url: string, work: (client: pg.Client) => Promise<Result>): Promise<Result> {
  const client = new pg.Client({ connectionString: url, options: '-c role=crm_relay', connectionTimeoutMillis: 5_000 });
  // A server that goes away while nothing is asked would end this process; the next query says so anyway.
  client.on('error', () => undefined);
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}
