import type { EntityManager } from '@mikro-orm/postgresql';
import type { CompiledCalendar } from '../../workflows/calendars/business-time.ts';
import type { Clock } from '../../workflows/tickets/clocks.ts';
import type { TakenStep } from '../../workflows/tickets/plan.ts';
import type { SlaTarget, TicketStatus } from '../../workflows/tickets/policy.ts';
import type { OpenPromises } from '../../workflows/tickets/promises.ts';
import type { SlaTerms } from '../../workflows/tickets/terms.ts';
import { columnName } from '../model/entity.ts';
import type { Statement } from '../model/set-based.ts';
import { type CalendarJson, calendarOf, calendarSql } from './policies.queries.ts';
import { SlaClock } from './sla-clock.ts';
import type { TicketRow } from './ticket-state.queries.ts';

/** What is stored of a ticket's clocks, as far as its next decision needs it. */
export interface TicketLife {
  /** The open clocks, and the last few that ended. */
  clocks: Clock[];
  /** Steps of those clocks that were taken. */
  taken: TakenStep[];
  /** Of all clocks that ended. */
  ended: { any: boolean; breached: boolean };
  /** The highest ordinal of each target. */
  ordinals: Partial<Record<SlaTarget, number>>;
  /** Of the policy in force for this ticket, as it is now. */
  calendar: CompiledCalendar;
  /** A later version of the ticket's policy that was applied to open tickets, not to this one yet. */
  applied: { version: number; terms: SlaTerms } | null;
}

const instants = ['startedAt', 'dueAt', 'metAt', 'breachedAt', 'breachDetectedAt', 'endedAt'] as const;
const endedKept = 6;

const clockSql = `jsonb_build_object('id', sla_clock_id, 'target', target, 'ordinal', ordinal, 'state', state, 'breached', breached,
  'priority', priority, 'targetMinutes', target_minutes, 'slaPolicyId', sla_policy_id, 'slaPolicyVersion', sla_policy_version,
  'calendarId', calendar_id, 'startedAt', started_at, 'dueAt', due_at, 'intervals', intervals, 'changes', changes, 'metAt', met_at,
  'breachedAt', breached_at, 'breachDetectedAt', breach_detected_at, 'endedAt', ended_at, 'elapsedMinutes', elapsed_minutes,
  'life', life)`;

const lifeSql = `
  with ticket as materialized (select ?::uuid as organization_id, ?::uuid as ticket_id),
  known as materialized (
    select k.* from crm_core.crm_sla_clocks k join ticket using (organization_id, ticket_id) where k.deleted_at is null),
  shown as materialized (
    (select * from known where ended_at is null)
    union all (select * from known where ended_at is not null order by ended_at desc, sla_clock_id desc limit ${endedKept})),
  applied as materialized (
    select applied_version as version, applied_terms as terms from crm_core.crm_sla_policies join ticket using (organization_id)
    where sla_policy_id = ? and applied_version > ? and applied_terms is not null)
  select
    (select coalesce(jsonb_agg(${clockSql} order by target, ordinal), '[]') from shown) as clocks,
    (select coalesce(jsonb_agg(jsonb_build_object('step', step, 'clockId', sla_clock_id, 'life', life)), '[]')
       from crm_core.crm_ticket_steps s join ticket using (organization_id, ticket_id)
       where s.deleted_at is null and s.sla_clock_id in (select sla_clock_id from shown)) as taken,
    jsonb_build_object('any', exists (select from known where ended_at is not null),
      'breached', exists (select from known where ended_at is not null and breached)) as ended,
    (select coalesce(jsonb_object_agg(target, ordinal), '{}')
       from (select target, max(ordinal) as ordinal from known group by target) o) as ordinals,
    (select jsonb_build_object('version', version, 'terms', terms) from applied) as applied,
    (select ${calendarSql} from crm_core.crm_calendars c join ticket using (organization_id)
       where c.calendar_id = coalesce((select terms ->> 'calendarId' from applied), case when exists (select from applied) then null else ? end)::uuid
         and c.deleted_at is null) as calendar`;

type LifeRow = Omit<TicketLife, 'clocks' | 'calendar'> & { clocks: Clock[]; calendar: CalendarJson };

/** Reads, in one statement, the clocks of a ticket and by what they are judged. */
export async function readLife(
  em: EntityManager,
  { id, organizationId, slaPolicyId, slaPolicyVersion, slaTerms }: TicketRow,
): Promise<TicketLife> {
  const [row]: LifeRow[] = await em.execute(lifeSql, [
    organizationId,
    id,
    slaPolicyId,
    slaPolicyVersion ?? 0,
    slaTerms?.calendarId ?? null,
  ]);
  if (!row) throw new Error(`The clocks of ticket ${id} could not be read.`);
  return { ...row, clocks: row.clocks.map(withInstants), calendar: calendarOf(row.calendar) };
}

function withInstants(clock: Clock): Clock {
  const read = instants.map((name) => [name, clock[name] === null ? null : new Date(clock[name])] as const);
  return { ...clock, ...(Object.fromEntries(read) as Pick<Clock, (typeof instants)[number]>) };
}

const mutable = [
  'state',
  'breached',
  'priority',
  'targetMinutes',
  'slaPolicyId',
  'slaPolicyVersion',
  'calendarId',
  'dueAt',
  'intervals',
  'changes',
  'metAt',
  'breachedAt',
  'breachDetectedAt',
  'endedAt',
  'elapsedMinutes',
  'life',
] as const;

/** Writes clocks back that have changed. */
export function clocksChanged(clocks: readonly Clock[], at: Date, by: string): Statement {
  const table = `crm_core.${SlaClock.table}`;
  const columns = mutable.map((property) => columnName(SlaClock, property));
  const rows = clocks.map((clock) => ({
    [SlaClock.key]: clock.id,
    ...Object.fromEntries(mutable.map((property) => [columnName(SlaClock, property), clock[property]])),
  }));
  return {
    sql: `update ${table} k set ${columns.map((column) => `${column} = n.${column}`).join(', ')},
        updated_at = ?, updated_by = ?, version = k.version + 1
      from jsonb_populate_recordset(null::${table}, ?::jsonb) n where k.${SlaClock.key} = n.${SlaClock.key} returning 1`,
    parameters: [at, by, JSON.stringify(rows)],
  };
}

interface PastRow {
  statuses: { at: string; before: TicketStatus | null; after: TicketStatus }[];
  unanswered: string[];
}

/** What says which promises to a ticket are still to be kept: its statuses, and the messages that nobody has answered. */
export async function readOpenPromises(em: EntityManager, ticket: TicketRow): Promise<OpenPromises> {
  const [row]: PastRow[] = await em.execute(
    `select
       (select coalesce(jsonb_agg(jsonb_build_object('at', happened_at, 'before', value_before, 'after', value_after) order by happened_at, audit_id), '[]')
          from crm_core.crm_auditlog where organization_id = ? and subject_type = 'ticket' and subject_id = ? and field = 'status') as statuses,
       (select coalesce(jsonb_agg(m.sent_at order by m.sent_at), '[]') from crm_core.crm_conversation_messages m
          where m.organization_id = ? and m.ticket_id = ? and m.kind = 'customer' and m.deleted_at is null and m.sent_at > ?
            and not exists (select from crm_core.crm_conversation_messages r
              where r.organization_id = m.organization_id and r.ticket_id = m.ticket_id and r.kind = 'reply' and r.sent_at >= m.sent_at
                and r.deleted_at is null)) as unanswered`,
    [ticket.organizationId, ticket.id, ticket.organizationId, ticket.id, ticket.openedAt],
  );
  const changes = (row?.statuses ?? []).map(({ at, ...change }) => ({ at: new Date(at), ...change }));
  const reopened = changes.findLast(({ before, after }) => isDone(before) && !isDone(after));
  return {
    openedAt: ticket.openedAt,
    reopenedAt: reopened?.at ?? null,
    firstRepliedAt: ticket.firstRepliedAt,
    unanswered: (row?.unanswered ?? []).map((at) => new Date(at)),
    statuses: [{ at: ticket.openedAt, status: 'open' }, ...changes.map(({ at, after }) => ({ at, status: after }))],
  };
}

const isDone = (status: TicketStatus | null): boolean => status === 'resolved' || status === 'closed';
