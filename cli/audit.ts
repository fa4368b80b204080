import { Client, Connection } from '@temporalio/client';
import type { Command } from 'commander';
import type { Outcome } from '../db/automation/audit/check.ts';
import { rowChecks, runCheck } from '../db/automation/audit.queries.ts';
import { type Env, loadEnv } from '../runtime/env.ts';
import { checkProcesses } from './audit/processes.ts';
import { auditReport, describeAudit } from './audit/report.ts';
import { reasonOf } from './checks/finding.ts';
import { databaseUrlOf, withDatabase } from './database.ts';
import { CommandFailed, print, printJson } from './output.ts';
import { temporalOf } from './temporal.ts';

/** `crm audit`: says whether anything was lost or doubled; exit code 0 when clean, 1 when not. */
export function registerAudit(program: Command): void {
  program
    .command('audit')
    .description('compare ledger, rows, processes, outbox and audit trail (exit code 0: clean, 1: not)')
    .option('--json', 'as JSON')
    .action(async ({ json }: { json?: boolean }) => {
      const env = loadEnv();
      const databaseUrl = databaseUrlOf(env);
      const outcomes = await withTemporal(env, (temporal) => audit(databaseUrl, temporal));
      const report = auditReport(outcomes);
      if (json) printJson(report);
      else print(describeAudit(report));
      if (!report.clean) process.exitCode = 1;
    });
}

/** Runs every check on an installation: `databaseUrl` is the owner's, `temporal` a client of its namespace. */
export async function audit(databaseUrl: string, temporal: Client): Promise<Outcome[]> {
  return withDatabase(databaseUrl, async (database) => {
    const outcomes: Outcome[] = [];
    for (const check of rowChecks) outcomes.push(await runCheck(database, check));
    return [...outcomes, ...(await checkProcesses(database, temporal))];
  });
}

/** Runs `work` with a client of the environment's Temporal, else of the running installation's. */
async function withTemporal<Result>(env: Env, work: (client: Client) => Promise<Result>): Promise<Result> {
  const temporal = temporalOf(env);
  if (!temporal) throw new CommandFailed('No Temporal: start one with `npm start`, or set TEMPORAL_ADDRESS.', 3);
  const { namespace, connectionOptions } = temporal;
  const connection = await Connection.connect(connectionOptions).catch((error: unknown) => {
    throw new CommandFailed(`Temporal at ${connectionOptions.address} is not reached: ${reasonOf(error)}`);
  });
  try {
    return await work(new Client({ connection, namespace }));
  } finally {
    await connection.close();
  }
}
