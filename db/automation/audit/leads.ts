import { type Check, inDelivery } from './check.ts';

const open = `l.status = 'open' and l.deleted_at is null`;

/** Leads that a person opened again on purpose (a merge undone, a deleted lead restored): they may stand above a capacity. */
const notReopened = `
  not exists (select from crm_core.crm_merges m where m.merged_id = l.lead_id and m.undone_at is not null)
  and not exists (select from crm_core.crm_auditlog e where e.subject_id = l.lead_id and e.subject_type = 'lead' and e.field = 'deletedAt')`;

/**
 * Open leads with the same value in `column`, which has an index of open leads, and in the columns besides. A merge that
 * was taken back explains why its own two are open: what such merges do not tie together is double. One that was restored
 * or is being merged just now is passed over.
 */
const alike = (column: 'email' | 'phone', ...besides: string[]) => {
  const shared = ['organization_id', column, ...besides];
  return `
  with recursive doubled as materialized (
    select l.*, count(*) over same as together, min(l.lead_id::text) over same as first_id
    from (
      select l.organization_id, l.${column} from crm_core.crm_leads l
      where ${open} and l.${column} is not null
      group by l.organization_id, l.${column} having count(*) > 1) many
    join crm_core.crm_leads l on l.organization_id = many.organization_id and l.${column} = many.${column}
    where ${open}${besides.map((name) => ` and l.${name} is not null`).join('')} and not ${inDelivery('l.lead_id')}
    window same as (partition by ${shared.map((name) => `l.${name}`).join(', ')})),
  apart as materialized (
    select m.merged_id as one, m.survivor_id as other from crm_core.crm_merges m join doubled d on d.lead_id = m.merged_id where m.undone_at is not null
    union select m.survivor_id, m.merged_id from crm_core.crm_merges m join doubled d on d.lead_id = m.merged_id where m.undone_at is not null),
  explained as (
    select d.first_id, d.lead_id from doubled d where d.lead_id::text = d.first_id
    union select d.first_id, d.lead_id from explained e join apart a on a.one = e.lead_id join doubled d on d.lead_id = a.other and d.first_id = e.first_id)
  select d.organization_id, 'lead ' || d.first_id as subject, 'open beside ' || string_agg(d.lead_id::text, ', ' order by d.lead_id) as detail
  from doubled d left join explained e on e.lead_id = d.lead_id
  where d.together > 1
  group by d.organization_id, d.first_id
  having count(e.lead_id) < count(*)`;
};

/** The rows of the leads among each other. */
export const leadChecks: readonly Check[] = [
  {
    name: 'same-mail',
    means: 'Open leads of one organisation have the same mail, and no merge was taken back that would explain it.',
    mend: 'Merge them by the command `merge`; then find out who wrote the second.',
    sql: alike('email'),
  },
  {
    name: 'same-phone-and-name',
    means:
      'Open leads of one organisation have the same phone and the same name, and no merge was taken back that would explain it.',
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
      from crm_core.crm_lead_assignments where user_id is not null and deleted_at is null
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
    name: 'qualified-unproven',
    means: 'A lead is qualified without evidence of all four kinds, without an account, or without a contact there.',
    mend: 'The rows were deleted behind the product: restore them from a backup; the timeline names account and contact.',
    sql: `
      select l.organization_id, 'lead ' || l.lead_id as subject, 'evidence ' || coalesce(e.kinds, 0) || ' of 4, '
        || case when l.account_id is null then 'no account' when c.account_id is null then 'no contact' else 'a contact' end as detail
      from crm_core.crm_leads l
      left join (select lead_id, count(distinct criterion) as kinds from crm_core.crm_qualification_evidence
        where deleted_at is null group by lead_id) e on e.lead_id = l.lead_id
      left join (select distinct organization_id, person_id, account_id from crm_core.crm_contacts) c
        on c.organization_id = l.organization_id and c.person_id = l.person_id and c.account_id = l.account_id
      where l.stage = 'qualified' and (coalesce(e.kinds, 0) < 4 or c.account_id is null)`,
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
