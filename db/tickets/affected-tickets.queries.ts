import { type Database, inOrganization } from '../database.ts';

/** Tickets `t` at work that depend on the record `changed.id` of a kind: each kind emits events `{kind}.{what happened}`. */
const dependsOn = {
  organization: `t.assigned_user_id is null`,
  // The calendar of its clocks; a queued one also depends on when agents work.
  calendar: `t.sla_terms ->> 'calendarId' = changed.id::text or t.assigned_user_id is null`,
  user: 't.assigned_user_id = changed.id or t.assigned_user_id is null',
  team: 't.team_id = changed.id or t.assigned_user_id is null',
  ticket_routing_rule: 't.assigned_user_id is null',
  sla_policy: 't.sla_policy_id = changed.id',
} as const;

/** Kinds of records that tickets at work depend on. */
export type TicketConfigurationKind = keyof typeof dependsOn;
export const ticketConfigurationKinds = Object.keys(dependsOn) as readonly TicketConfigurationKind[];

/**
 * Tickets at work whose clocks or whose place depend on a record of the configuration. In the order of identifiers, at
 * most `limit` after `after`; none for a kind that tickets do not depend on.
 */
export async function readAffectedTickets(
  database: Database,
  { organizationId, kind, id }: { organizationId: string; kind: string; id: string },
  after: string | null,
  limit: number,
): Promise<string[]> {
  const condition = Object.entries(dependsOn).find(([name]) => name === kind)?.[1];
  if (condition === undefined) return [];
  return inOrganization(database, organizationId, async (em) => {
    const rows: { ticket_id: string }[] = await em.execute(
      `select t.ticket_id from crm_core.crm_tickets t cross join (select ?::uuid as id) changed
       where t.organization_id = ? and t.stage in ('queued', 'assigned') and t.deleted_at is null
         and (${condition}) and (?::uuid is null or t.ticket_id > ?)
       order by t.ticket_id limit ?`,
      [id, organizationId, after, after, limit],
    );
    return rows.map(({ ticket_id }) => ticket_id);
  });
}
