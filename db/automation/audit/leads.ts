import type { Check } from './check.ts';

/**
 * Leads that a person opened again on purpose (a merge undone, a deleted lead restored): they may stand beside another
 * lead of the same person, or above somebody's capacity.
 */
const notReopened = `
  not exists (select from crm_core.crm_merges m where m.merged_id = l.lead_id and m.undone_at is not null)
  and not exists (select from crm_core.crm_auditlog e where e.subject_id = l.lead_id and e.subject_type = 'lead' and e.field = 'deletedAt')`;

const open = `l.status = 'open' and l.deleted_at is null`;

/** Open leads with the same value in `column`, which has an index of open leads, and in the columns besides. */
const alike = (column: 'email' | 'phone', ...besides: string[]) => `
  select l.organization_id, 'lead ' || min(l.lead_id::text) as subject, 'open beside ' || string_agg(l.lead_id::text, ', ' order by l.lead_id) as detail
  from (
    select l.organization_id, l.${column} from crm_core.crm_leads l
    where ${open} and l.${column} is not null
    group by l.organization_id, l.${column} having count(*) > 1) shared
  join crm_core.crm_leads l on l.organization_id = shared.organization_id and l.${column} = shared.${column}
  where ${open} and ${notReopened}${besides.map((name) => ` and l.${name} is not null`).join('')}
  group by ${['organization_id', column, ...besides].map((name) => `l.${name}`).join(', ')}
  having count(*) > 1`;

/** The rows of the leads among each other. */
export const leadChecks: readonly Check[] = [
  {
    name: 'same-mail',
    means: 'Two open leads of one organisation have the same mail.',
    mend: 'Merge them by the command `merge`; then find out who wrote the second.',
    sql: alike('email'),
  },
  {
    name: 'same-phone-and-name',
    means: 'Two open leads of one organisation have the same phone and the same name.',
    mend: 'Merge them by the command `merge`; then find out who wrote the second.',
    sql: alike('phone', 'normalized_name'),
  },
  {
    name: 'load-miscounted',
    means: 'The number of open leads kept with a user is not the number of open leads assigned to them.',
    mend: 'Find out what wrote crm_leads or crm_users past the trigger; then set open_leads to the number counted.',
    sql: `
      select u.organization_id, 'user ' || u.user_id as subject, 'kept ' || u.open_leads || ', counted ' || coalesce(c.leads, 0) as detail
      from crm_core.crm_users u
      left join (select assigned_user_id, count(*) as leads from crm_core.crm_leads
        where status = 'open' and deleted_at is null group by assigned_user_id) c on c.assigned_user_id = u.user_id
      where u.open_leads <> coalesce(c.leads, 0)`,
  },
  {
    name: 'assigned-twice',
    means: 'A lead was given to two people in one round.',
    mend: 'The unique index on (lead, round) is missing: `npx crm migrate status`; then reassign the lead.',
    sql: `
      select organization_id, 'lead ' || lead_id as subject, 'round ' || round || ' has ' || count(*) || ' assignments' as detail
      from crm_core.crm_lead_assignments where deleted_at is null
      group by organization_id, lead_id, round having count(*) > 1`,
  },
  {
    name: 'assignment-unexplained',
    means: 'A lead has an owner, but no stored decision says why.',
    mend: 'Reassign the lead by the command `reassign`, which stores its decision.',
    sql: `
      select l.organization_id, 'lead ' || l.lead_id as subject, 'round ' || l.round || ', user ' || l.assigned_user_id as detail
      from crm_core.crm_leads l
      where l.assigned_user_id is not null
        and not exists (select from crm_core.crm_lead_assignments a where a.lead_id = l.lead_id and a.round = l.round and a.user_id = l.assigned_user_id)`,
  },
  {
    name: 'score-unexplained',
    means: 'A lead was scored, but no stored score says how.',
    mend: 'Score it again by the command `rescore`, which stores its contributions.',
    // What is merged at its capture is not scored: the lead that survives is.
    sql: `
      select l.organization_id, 'lead ' || l.lead_id as subject, 'stage ' || l.stage || ', score ' || l.score as detail
      from crm_core.crm_leads l
      where l.stage not in ('captured', 'merged') and not exists (select from crm_core.crm_lead_scores s where s.lead_id = l.lead_id)`,
  },
  {
    name: 'over-capacity',
    means: 'Assignment by turn gave somebody more open leads than their capacity was.',
    mend: 'Two assignments ran without the lock between them: report it, and reassign what is too much.',
    // A capacity that was lowered afterwards is no fault of the assignment, so the highest that was in force counts.
    sql: `
      select u.organization_id, 'user ' || u.user_id as subject, given.leads || ' open leads by turn, capacity ' || highest.capacity as detail
      from crm_core.crm_users u
      join (
        select l.assigned_user_id as user_id, count(*) as leads
        from crm_core.crm_leads l
        join crm_core.crm_lead_assignments a on a.lead_id = l.lead_id and a.round = l.round and a.took_turn and not a.over_capacity
        where ${open} and ${notReopened}
        group by l.assigned_user_id) given on given.user_id = u.user_id
      cross join lateral (
        select greatest(u.capacity, max((e.value_before #>> '{}')::int)) as capacity
        from crm_core.crm_auditlog e
        where e.organization_id = u.organization_id and e.subject_id = u.user_id and e.subject_type = 'user' and e.field = 'capacity') highest
      where given.leads > highest.capacity`,
  },
  {
    name: 'turns-astray',
    means: 'The turns that a team has counted are not those that its assignments took.',
    mend: 'A turn was lost or taken twice: report it. Set crm_team_members.turns to the number of assignments.',
    sql: `
      select m.organization_id, 'team ' || m.team_id as subject, m.turns || ' turns counted, ' || coalesce(a.turns, 0) || ' taken' as detail
      from (select organization_id, team_id, sum(turns) as turns from crm_core.crm_team_members group by organization_id, team_id) m
      left join (
        select team_id, count(*) as turns from (
          select team_id from crm_core.crm_lead_assignments where took_turn
          union all select team_id from crm_core.crm_ticket_assignments where took_turn) taken
        group by team_id) a on a.team_id = m.team_id
      where m.turns <> coalesce(a.turns, 0)`,
  },
];
