import type { EntityManager } from '@mikro-orm/postgresql';
import { slaTargets, ticketPriorities, type SlaTarget } from '../../workflows/tickets/policy.ts';
import {
  backlogBounds,
  type SlaFigures,
  type SlaReport,
  type SlaReportGrouping,
} from '../../workflows/tickets/sla-report.ts';
import { type Database, inOrganization } from '../database.ts';

// Whoever had the ticket when the clock was done, or when it had fallen due: not who got it since, by the ladder maybe, and
// on the ticket on which it ran then: that may have been merged into this one since.
const heldBy = (column: 'team_id' | 'user_id') => `(
  select d.${column}::text from crm_core.crm_ticket_assignments d
  where d.organization_id = c.organization_id and d.deleted_at is null
    and d.ticket_id = coalesce((
      select (change ->> 'fromTicketId')::uuid from jsonb_array_elements(c.changes) with ordinality as k(change, place)
      where jsonb_exists(change, 'fromTicketId')
        and (change ->> 'at')::timestamptz >= coalesce(late.since, c.met_at, asked.at)
      order by place limit 1), c.ticket_id)
    and case when late.since is null then d.decided_at <= coalesce(c.met_at, asked.at) else d.decided_at < late.since end
  order by d.round desc limit 1)`;

/** How a clock `c` that is `late.since` an instant, or not, is grouped, and how the group of a key is called. */
const groupings: Record<SlaReportGrouping, { key: string; name: string }> = {
  policy: {
    key: 'c.sla_policy_id::text',
    name: '(select name from crm_core.crm_sla_policies n where n.organization_id = asked.organization_id and n.sla_policy_id = g.key::uuid)',
  },
  team: {
    key: heldBy('team_id'),
    name: '(select name from crm_core.crm_teams n where n.organization_id = asked.organization_id and n.team_id = g.key::uuid)',
  },
  agent: {
    key: heldBy('user_id'),
    name: '(select full_name from crm_core.crm_users n where n.organization_id = asked.organization_id and n.user_id = g.key::uuid)',
  },
  priority: { key: 'c.priority', name: 'g.key' },
  week: { key: `to_char(c.started_at at time zone zone.name, 'IYYY-"W"IW')`, name: 'g.key' },
};

const counted = (condition: string) => `count(*) filter (where ${condition})::int`;
const percentiles = (target: SlaTarget) =>
  `percentile_cont(array[0.5, 0.9]) within group (order by elapsed_minutes)
     filter (where target = '${target}' and elapsed_minutes is not null)`;
const outcomes = (target: SlaTarget) => `jsonb_build_object(
  'met', ${counted(`target = '${target}' and outcome = 'met'`)},
  'breached', ${counted(`target = '${target}' and outcome = 'breached'`)},
  'running', ${counted(`target = '${target}' and outcome = 'running'`)})`;

// A clock is breached from the instant it was due, whatever came after, its cancelling too, and before it was noticed; a met one
// was met in time.
const clocksSql = ({ key, name }: { key: string; name: string }) => `
  with asked as (select ?::uuid as organization_id, ?::timestamptz as at),
  clocks as (
    select ${key} as key, c.target,
      case when c.breached or late.since is not null then 'breached' when c.state = 'met' then 'met' else 'running' end as outcome,
      case when c.met_at is null then null else c.elapsed_minutes end as elapsed_minutes
    from crm_core.crm_sla_clocks c
    join asked using (organization_id)
    join crm_core.crm_tickets t on t.organization_id = c.organization_id and t.ticket_id = c.ticket_id and t.deleted_at is null
    cross join lateral (
      select case when c.breached then c.breached_at when c.state = 'running' and c.due_at < asked.at then c.due_at end as since) late
    cross join lateral (
      select coalesce((select k.time_zone from crm_core.crm_calendars k
        join crm_core.core_organizations o on o.organization_id = k.organization_id and o.calendar_id = k.calendar_id
        where k.organization_id = c.organization_id), 'UTC') as name) zone
    where c.deleted_at is null and (c.breached or c.state <> 'cancelled') and c.started_at >= ? and c.started_at < ?),
  g as (
    select key, grouping(key) = 1 as is_total,
      jsonb_build_object(${slaTargets.map((target) => `'${target}', ${outcomes(target)}`).join(', ')}) as outcomes,
      ${counted(`target = 'first_response' and elapsed_minutes is not null`)} as responses,
      ${counted(`target = 'resolution' and elapsed_minutes is not null`)} as resolutions,
      ${percentiles('first_response')} as response_minutes,
      ${percentiles('resolution')} as resolution_minutes
    from clocks group by grouping sets ((key), ()))
  select key, is_total, case when key is null then null else ${name} end as name, outcomes, responses, resolutions,
    response_minutes, resolution_minutes
  from g cross join asked order by is_total desc, name nulls last, key`;

interface GroupRow {
  key: string | null;
  is_total: boolean;
  name: string | null;
  outcomes: Record<SlaTarget, Outcomes>;
  responses: number;
  resolutions: number;
  response_minutes: (number | null)[] | null;
  resolution_minutes: (number | null)[] | null;
}

type Outcomes = Record<'met' | 'breached' | 'running', number>;

/** The service levels of an organisation over `[from, to)` by group, and its backlog, both as they are at `at`. */
export async function readSlaReport(
  database: Database,
  organizationId: string,
  { from, to, groupBy }: { from: Date; to: Date; groupBy: SlaReportGrouping },
  at: Date,
): Promise<SlaReport> {
  return inOrganization(database, organizationId, async (em) => {
    const rows: GroupRow[] = await em.execute(clocksSql(groupings[groupBy]), [organizationId, at, from, to]);
    const [total, ...groups] = rows;
    if (!total) throw new Error('The report has no total.');
    return {
      from: from.toISOString(),
      to: to.toISOString(),
      groupBy,
      total: figuresOf(total),
      groups: groups.map((group) => ({ key: group.key, name: group.name, ...figuresOf(group) })),
      backlog: await readBacklog(em, organizationId, at),
    };
  });
}

function figuresOf({ outcomes, responses, resolutions, response_minutes, resolution_minutes }: GroupRow): SlaFigures {
  const sum = (outcome: keyof Outcomes) => slaTargets.reduce((all, target) => all + outcomes[target][outcome], 0);
  const times = (count: number, [median, p90]: (number | null)[]) => ({
    count,
    median: rounded(median),
    p90: rounded(p90),
  });
  return {
    compliance: {
      all: complianceOf({ met: sum('met'), breached: sum('breached'), running: sum('running') }),
      first_response: complianceOf(outcomes.first_response),
      next_response: complianceOf(outcomes.next_response),
      resolution: complianceOf(outcomes.resolution),
    },
    firstResponseMinutes: times(responses, response_minutes ?? []),
    resolutionMinutes: times(resolutions, resolution_minutes ?? []),
  };
}

/** To three decimals of a minute: what lies between two tickets is a fraction of no meaning. */
const rounded = (minutes: number | null | undefined) =>
  typeof minutes === 'number' ? Math.round(minutes * 1_000) / 1_000 : null;

/** Percent with one decimal. */
function complianceOf({ met, breached, running }: Outcomes) {
  const decided = met + breached;
  return { met, breached, running, metPercent: decided === 0 ? null : Math.round((1_000 * met) / decided) / 10 };
}

async function readBacklog(em: EntityManager, organizationId: string, at: Date): Promise<SlaReport['backlog']> {
  const rows: { band: number; priority: string; open: number }[] = await em.execute(
    `select width_bucket((extract(epoch from ?::timestamptz - opened_at) / 3600)::float8, ?::float8[]) as band, priority,
       count(*)::int as open
     from crm_core.crm_tickets
     where organization_id = ? and deleted_at is null and status in ('open', 'waiting_for_customer', 'on_hold')
     group by band, priority`,
    [at, `{${backlogBounds.join(',')}}`, organizationId],
  );
  const openIn = (band: number, priority: string) =>
    rows.find((row) => row.band === band && row.priority === priority)?.open ?? 0;
  const bands = [0, ...backlogBounds].map((fromHours, band) => {
    const [P1, P2, P3, P4] = ticketPriorities.map((priority) => openIn(band, priority)) as [
      number,
      number,
      number,
      number,
    ];
    const byPriority = { P1, P2, P3, P4 };
    return { fromHours, toHours: backlogBounds[band] ?? null, open: P1 + P2 + P3 + P4, byPriority };
  });
  return { at: at.toISOString(), open: bands.reduce((sum, { open }) => sum + open, 0), bands };
}
