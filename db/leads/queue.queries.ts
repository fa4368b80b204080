import { readTakersBy } from '../assignment/seats.queries.ts';
import { type Database, statementAcrossOrganizations } from '../database.ts';

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

/**
 * The leads without an owner that a user could be given: those for a team in which they hold a place, and those of an
 * account whose owner they are, or stand in for.
 */
export const readLeadTakers = readTakersBy('lead', takersSql);

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
