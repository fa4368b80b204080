import { leadProcess } from '../../workflows/leads/messages.ts';
import { ticketProcess } from '../../workflows/tickets/messages.ts';
import type { Database } from '../database.ts';
import {
  readAffectedTickets,
  type TicketConfigurationKind,
  ticketConfigurationKinds,
} from '../tickets/affected-tickets.queries.ts';
import {
  type ConfigurationKind as LeadConfigurationKind,
  configurationKinds as leadConfigurationKinds,
  readAffectedLeads,
} from './affected-leads.queries.ts';

/** Kinds of records that running processes depend on; each emits events `{kind}.{what happened}`. */
export type ConfigurationKind = LeadConfigurationKind | TicketConfigurationKind;
export const configurationKinds: readonly ConfigurationKind[] = [
  ...new Set<ConfigurationKind>([...leadConfigurationKinds, ...ticketConfigurationKinds]),
];

interface Change {
  organizationId: string;
  kind: ConfigurationKind;
  id: string;
}

const isOfLeads = (kind: ConfigurationKind): kind is LeadConfigurationKind =>
  leadConfigurationKinds.some((known) => known === kind);

/** A cursor within the tickets begins so; within the leads it is an identifier alone. */
const ofTickets = `${ticketProcess.name}:`;

/**
 * A page of the running processes that depend on what changed, at most `limit`: first leads, then tickets. `cursor` leads
 * to the next page, null to the first, and is null after the last.
 */
export async function readAffectedProcesses(
  database: Database,
  change: Change,
  cursor: string | null,
  limit: number,
): Promise<{ workflowIds: string[]; cursor: string | null }> {
  const isPastLeads = cursor?.startsWith(ofTickets) === true;
  const leadIds =
    !isPastLeads && isOfLeads(change.kind)
      ? await readAffectedLeads(database, { ...change, kind: change.kind }, cursor, limit)
      : [];
  const workflowIds = leadIds.map(leadProcess.workflowId);
  const room = limit - leadIds.length;
  if (room === 0) return { workflowIds, cursor: leadIds.at(-1) ?? null };
  const after = isPastLeads ? cursor.slice(ofTickets.length) : null;
  const ticketIds = await readAffectedTickets(database, change, after, room);
  const last = ticketIds.length < room ? undefined : ticketIds.at(-1);
  return {
    workflowIds: [...workflowIds, ...ticketIds.map(ticketProcess.workflowId)],
    cursor: last === undefined ? null : `${ofTickets}${last}`,
  };
}
