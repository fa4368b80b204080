import { type FreePlaces, readSeats } from '../assignment/seats.queries.ts';
import { type Database, inOrganization, statementAcrossOrganizations } from '../database.ts';

/**
 * The leads without an owner that a user could be given at the instant `at`, at most `limit`, the oldest first: those for
 * a team in which they hold a place, and those of an account whose owner they are, or stand in for. None while they have
 * no room or are away.
 */
export function readLeadTakers(
  database: Database,
  organizationId: string,
  userId: string,
  at: Date,
  limit: number,
): Promise<FreePlaces> {
  return inOrganization(database, organizationId, async (em) => {
    const { room, seats } = await readSeats(em, 'lead', organizationId, userId, at);
    if (seats.length === 0) return { room: 0, ids: [] };
    const rows: { id: string }[] = await em.execute(takersSql, [
      JSON.stringify(seats),
      organizationId,
      organizationId,
      limit,
    ]);
    return { room, ids: rows.map(({ id }) => id) };
  });
}

// A lead waits for the teams of all rules that held when it was last decided on, and for the owner of its account.
const takersSql = `
  with seat as materialized (
    select "teamId" as team_id, "memberUserId" as user_id
    from jsonb_to_recordset(?::jsonb) as s("teamId" uuid, "memberUserId" uuid)),
  serving as materialized (
    select jsonb_build_array(jsonb_build_object('ruleId', r.assignment_rule_id, 'matched', true)) as tried
    from crm_core.crm_assignment_rules r
    where r.organization_id = ? and r.active and r.deleted_at is null and r.team_id in (select team_id from seat)),
  owning as materialized (
    select distinct jsonb_build_array(jsonb_build_object('userId', user_id)) as candidate from seat)
  select l.lead_id as id
  from crm_core.crm_leads l
  cross join lateral (
    select a.candidates, a.rules_tried from crm_core.crm_lead_assignments a
    where a.organization_id = l.organization_id and a.lead_id = l.lead_id and a.deleted_at is null
    order by a.decided_at desc, a.lead_assignment_id desc limit 1) latest
  where l.organization_id = ? and l.status = 'open' and l.assigned_user_id is null and l.deleted_at is null
    and (exists (select from serving where latest.rules_tried @> serving.tried)
      or exists (select from owning where latest.candidates @> owning.candidate))
  order by l.captured_at, l.lead_id
  limit ?`;

/** Who would have a deleted lead, and so has a place free; null when nobody has, or when it is back. */
export async function readOwnerOfDeleted(
  relay: Database,
  organizationId: string,
  leadId: string,
): Promise<string | null> {
  const [row] = await statementAcrossOrganizations<{ user_id: string }>(
    relay,
    `select assigned_user_id as user_id from crm_core.crm_leads
     where organization_id = ? and lead_id = ? and status = 'open' and assigned_user_id is not null and deleted_at is not null`,
    [organizationId, leadId],
  );
  return row?.user_id ?? null;
}
