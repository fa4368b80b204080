import { readTakersBy } from '../assignment/seats.queries.ts';

// A ticket waits for the teams of all rules that held for it when it was routed last; without a rule for the team that
// a person chose, and with neither for a change of the rules.
const takersSql = `
  with seat as materialized (
    select "teamId" as team_id, skills from jsonb_to_recordset(?::jsonb) as s("teamId" uuid, skills text[])),
  serving as materialized (
    select seat.skills, jsonb_build_array(jsonb_build_object('ruleId', r.ticket_routing_rule_id, 'matched', true)) as tried
    from crm_core.crm_ticket_routing_rules r join seat on seat.team_id = r.team_id
    where r.organization_id = ? and r.active and r.deleted_at is null)
  select t.ticket_id as id
  from crm_core.crm_tickets t
  where t.organization_id = ? and t.stage = 'queued' and t.deleted_at is null
    and case when t.routing_rule_id is null
      then exists (select from seat where seat.team_id = t.team_id and t.skills <@ seat.skills)
      else exists (
        select from crm_core.crm_ticket_assignments d join serving on d.rules_tried @> serving.tried
        where d.organization_id = t.organization_id and d.ticket_id = t.ticket_id and d.round = t.round
          and d.deleted_at is null and t.skills <@ serving.skills) end
  order by t.priority, t.opened_at, t.ticket_id
  limit ?`;

/**
 * The queued tickets that a user could be given: of those with skills that they have, the ones for a team in which they
 * hold a place, their own or as a delegate. The most urgent first, of those the oldest.
 */
export const readTicketTakers = readTakersBy('ticket', takersSql);
