import type { ClientBase } from 'pg';
import type { Check, Outcome } from './audit/check.ts';
import { leadChecks } from './audit/leads.ts';
import { ledgerChecks } from './audit/ledger.ts';
import { noticeChecks } from './audit/notices.ts';
import { stateChecks } from './audit/states.ts';
import { ticketChecks } from './audit/tickets.ts';
import { trailChecks } from './audit/trail.ts';

/** What holds among the rows, whatever Temporal says. A new domain adds its table of checks here. */
export const rowChecks: readonly Check[] = [
  ...ledgerChecks,
  ...stateChecks,
  ...leadChecks,
  ...ticketChecks,
  ...noticeChecks,
  ...trailChecks,
];

const mostFindings = 20;

interface Row {
  organization_id: string | null;
  subject: string;
  detail: string;
  total: string;
}

/** Runs one check; `client` acts as `crm_relay`. Finds the first twenty discrepancies and the number of all. */
export async function runCheck(client: ClientBase, check: Check): Promise<Outcome> {
  const { rows } = await client.query<Row>(
    `select organization_id, subject, detail, count(*) over () as total from (${check.sql}) found order by subject limit ${mostFindings}`,
  );
  return {
    check,
    count: Number(rows[0]?.total ?? 0),
    findings: rows.map(({ organization_id: organizationId, subject, detail }) => ({ organizationId, subject, detail })),
  };
}
