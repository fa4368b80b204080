import type { EntityManager } from '@mikro-orm/postgresql';
import { v7 as uuidv7 } from 'uuid';
import type { CompiledCalendar } from '../../workflows/calendars/business-time.ts';
import type { Clock } from '../../workflows/tickets/clocks.ts';
import type { TakenStep } from '../../workflows/tickets/plan.ts';
import type { SlaTarget, TicketStatus } from '../../workflows/tickets/policy.ts';
import { type OpenPromises, openPromises, type OwedAnswer } from '../../workflows/tickets/promises.ts';
import type { SlaTerms } from '../../workflows/tickets/terms.ts';
import { columnName } from '../model/entity.ts';
import type { Statement } from '../model/set-based.ts';
import { type CalendarJson, calendarOf, calendarSql } from './policies.queries.ts';
import { SlaClock } from './sla-clock.ts';
import type { TicketRow } from './ticket-state.queries.ts';

/** What is stored of a ticket's clocks, as far as its next decision needs it. */
export interface TicketLife {
  /** The open clocks, the cancelled ones, which may be promised again, and the last few of the others. */
  clocks: Clock[];
  /** Steps of those clocks that were taken. */
  taken: TakenStep[];
  /** Of all clocks that ended. */
  ended: { met: boolean; breached: boolean };
  /** The highest ordinal of each target. */
  ordinals: Partial<Record<SlaTarget, number>>;
  /** Of the terms that the ticket keeps, as it is now. */
  calendar: CompiledCalendar;
  /** A later version of the ticket's policy that was applied to open tickets, not to this one yet; with its own calendar. */
  applied: { version: number; terms: SlaTerms; calendar: CompiledCalendar } | null;
  /** When another ticket was last merged into this one. */
  mergedAt: Date | null;
}

/** Identifier and ordinal of each further clock of a ticket. */
export function clockNumbers({ ordinals }: Pick<TicketLife, 'ordinals'>): (target: SlaTarget) => {
  id: string;
  ordinal: number;
} {
  const highest = { ...ordinals };
  return (target) => {
    const ordinal = (highest[target] ?? 0) + 1;
    highest[target] = ordinal;
    return { id: uuidv7(), ordinal };
  };
}

const instants = ['startedAt', 'dueAt', 'metAt', 'breachedAt', 'breachDetectedAt', 'endedAt'] as const;
const endedKept = 6;

const clockSql = `jsonb_build_object('id', sla_clock_id, 'target', target, 'ordinal', ordinal, 'state', state, 'breached', breached,
  'priority', priority, 'targetMinutes', target_minutes, 'slaPolicyId', sla_policy_id, 'slaPolicyVersion', sla_policy_version,
  'calendarId', calendar_id, 'startedAt', started_at, 'dueAt', due_at, 'intervals', intervals, 'changes', changes, 'metAt', met_at,
  'breachedAt', breached_at, 'breachDetectedAt', breach_detected_at, 'endedAt', ended_at, 'elapsedMinutes', elapsed_minutes,
  'life', life)`;

const lifeSql = `
  select t.ticket_id as id, life.* from crm_core.crm_tickets t cross join lateral (
    with known as materialized (
      select k.* from crm_core.crm_sla_clocks k
      where k.organization_id = t.organization_id and k.ticket_id = t.ticket_id and k.deleted_at is null),
    shown as materialized (
      (select * from known where ended_at is null or state = 'cancelled')
      union all (select * from known where ended_at is not null and state <> 'cancelled' order by ended_at desc, sla_clock_id desc limit ${endedKept})),
    applied as materialized (
      select applied_version as version, applied_terms as terms from crm_core.crm_sla_policies p
      where p.organization_id = t.organization_id and p.sla_policy_id = t.sla_policy_id and p.applied_version > coalesce(t.sla_policy_version, 0) and p.applied_terms is not null)
    select
      (select coalesce(jsonb_agg(${clockSql} order by target, ordinal), '[]') from shown) as clocks,
      (select coalesce(jsonb_agg(jsonb_build_object('step', step, 'clockId', sla_clock_id, 'life', life, 'dueAt', due_at)), '[]')
         from crm_core.crm_ticket_steps s where s.organization_id = t.organization_id and s.ticket_id = t.ticket_id
           and s.deleted_at is null and s.sla_clock_id in (select sla_clock_id from shown)) as taken,
      jsonb_build_object('met', exists (select from known where state = 'met'),
        'breached', exists (select from known where ended_at is not null and breached)) as ended,
      (select coalesce(jsonb_object_agg(target, ordinal), '{}')
         from (select target, max(ordinal) as ordinal from known group by target) o) as ordinals,
      (select ${calendarSql} from crm_core.crm_calendars c
         where c.organization_id = t.organization_id and c.calendar_id = (t.sla_terms ->> 'calendarId')::uuid) as calendar,
      (select jsonb_build_object('version', version, 'terms', terms, 'calendar', (
          select ${calendarSql} from crm_core.crm_calendars c
          where c.organization_id = t.organization_id and c.calendar_id = (terms ->> 'calendarId')::uuid))
         from applied) as applied,
      (select max(merged_at) from crm_core.crm_merges g
         where g.organization_id = t.organization_id and g.survivor_id = t.ticket_id and g.subject_type = 'ticket') as "mergedAt") life
  where t.organization_id = ? and t.ticket_id = any(?::uuid[])`;

interface LifeRow extends Omit<TicketLife, 'clocks' | 'taken' | 'calendar' | 'applied' | 'mergedAt'> {
  id: string;
  clocks: Clock[];
  taken: (Omit<TakenStep, 'dueAt'> & { dueAt: string })[];
  calendar: CalendarJson;
  applied: { version: number; terms: SlaTerms; calendar: CalendarJson } | null;
  mergedAt: string | null;
}

/** Reads, in one statement, the clocks of a ticket and what they run by. */
export async function readLife(
  em: EntityManager,
  { organizationId, id }: Pick<TicketRow, 'organizationId' | 'id'>,
): Promise<TicketLife> {
  const life = (await readLives(em, organizationId, [id])).get(id);
  if (!life) throw new Error(`The clocks of ticket ${id} could not be read.`);
  return life;
}

/** The same of many tickets. */
export async function readLives(
  em: EntityManager,
  organizationId: string,
  ids: readonly string[],
): Promise<Map<string, TicketLife>> {
  const rows: LifeRow[] = await em.execute(lifeSql, [organizationId, uuidArray(ids)]);
  return new Map(
    rows.map(({ id, clocks, taken, calendar, applied, mergedAt, ...row }) => [
      id,
      {
        ...row,
        clocks: clocks.map(withInstants),
        taken: taken.map((step) => ({ ...step, dueAt: new Date(step.dueAt) })),
        calendar: calendarOf(calendar),
        applied: applied && { ...applied, calendar: calendarOf(applied.calendar) },
        mergedAt: mergedAt === null ? null : new Date(mergedAt),
      },
    ]),
  );
}

const uuidArray = (ids: readonly string[]): string => `{${ids.join(',')}}`;

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
  id: string;
  openedAt: string;
  firstRepliedAt: string | null;
  isAtWork: boolean;
  statuses: { at: string; before: TicketStatus | null; after: TicketStatus }[];
  unanswered: string[];
  merged: { at: string; owed: OwedAnswerJson[] } | null;
}

/** An answer that a ticket owes as a merge keeps it in its evidence. */
type OwedAnswerJson = Pick<OwedAnswer, 'ticketId' | 'asked'> & {
  at: string;
  since: string;
  before: { at: string; status: TicketStatus }[];
};

// What was owed at the latest merge is kept with it: from the messages, which are together now, it could not be told which
// reply was to whom. Identifiers, which grow, tell what was stored before it and what after.
const pastSql = `
  select t.ticket_id as id, t.opened_at as "openedAt", t.first_replied_at as "firstRepliedAt",
    t.stage in ('queued', 'assigned') as "isAtWork",
    (select coalesce(jsonb_agg(jsonb_build_object('at', happened_at, 'before', value_before, 'after', value_after) order by happened_at, audit_id), '[]')
       from crm_core.crm_auditlog
       where organization_id = t.organization_id and subject_type = 'ticket' and subject_id = t.ticket_id and field = 'status') as statuses,
    (select coalesce(jsonb_agg(m.sent_at order by m.sent_at), '[]') from crm_core.crm_conversation_messages m
       where m.organization_id = t.organization_id and m.ticket_id = t.ticket_id and m.kind = 'customer' and m.deleted_at is null
         and m.sent_at > t.opened_at and (g.merge_id is null or m.conversation_message_id > g.merge_id)
         and not exists (select from crm_core.crm_conversation_messages r
           where r.organization_id = m.organization_id and r.ticket_id = m.ticket_id and r.kind = 'reply' and r.deleted_at is null
             and (g.merge_id is null or r.conversation_message_id > g.merge_id)
             and (r.sent_at, r.conversation_message_id) > (m.sent_at, m.conversation_message_id))) as unanswered,
    case when g.merge_id is not null then jsonb_build_object('at', g.merged_at, 'owed', (
      select coalesce(jsonb_agg(o), '[]') from jsonb_array_elements(g.evidence -> 'owed') o
      where not exists (select from crm_core.crm_conversation_messages r
        where r.organization_id = t.organization_id and r.ticket_id = t.ticket_id and r.kind = 'reply' and r.deleted_at is null
          and r.conversation_message_id > g.merge_id and r.sent_at >= (o ->> 'since')::timestamptz))) end as merged
  from crm_core.crm_tickets t
  left join lateral (
    select merge_id, merged_at, evidence from crm_core.crm_merges
    where organization_id = t.organization_id and survivor_id = t.ticket_id and subject_type = 'ticket' and jsonb_exists(evidence, 'owed') and deleted_at is null
    order by merge_id desc limit 1) g on true
  where t.organization_id = ? and t.ticket_id = any(?::uuid[])`;

/** Which promises to a ticket are still to be kept. */
export async function readOpenPromises(
  em: EntityManager,
  { organizationId, id }: Pick<TicketRow, 'organizationId' | 'id'>,
): Promise<OpenPromises> {
  const promises = (await readPromisesOf(em, organizationId, [id])).get(id);
  if (!promises) throw new Error(`What is owed on ticket ${id} could not be read.`);
  return promises;
}

/** The same of many tickets. */
export async function readPromisesOf(
  em: EntityManager,
  organizationId: string,
  ids: readonly string[],
): Promise<Map<string, OpenPromises>> {
  const rows: PastRow[] = await em.execute(pastSql, [organizationId, uuidArray(ids)]);
  return new Map(
    rows.map(({ id: ticketId, openedAt, firstRepliedAt, isAtWork, statuses, unanswered, merged }) => [
      ticketId,
      openPromises({
        ticketId,
        openedAt: new Date(openedAt),
        firstRepliedAt: firstRepliedAt === null ? null : new Date(firstRepliedAt),
        isAtWork,
        statuses: statuses.map(dated),
        unanswered: unanswered.map((at) => new Date(at)),
        merged: merged && { at: new Date(merged.at), owed: merged.owed.map(owedAnswer) },
      }),
    ]),
  );
}

const dated = <T extends { at: string }>(change: T) => ({ ...change, at: new Date(change.at) });

const owedAnswer = ({ at, since, before, ...answer }: OwedAnswerJson): OwedAnswer => ({
  ...answer,
  at: new Date(at),
  since: new Date(since),
  before: before.map(dated),
});
