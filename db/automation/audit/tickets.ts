import { ticketProcess } from '../../../workflows/tickets/messages.ts';
import { type Check, graceInterval, inDelivery } from './check.ts';

const isStart = `c.process = '${ticketProcess.name}' and c.message = '${ticketProcess.startUpdate}'`;
const open = `t.stage in ('queued', 'assigned') and t.deleted_at is null`;

/** Whether a ticket `t` came by an opening: rows that a set-up loads were opened by nobody. */
const wasOpened = `(t.created_by not like 'process:%' or t.follow_up_of_ticket_id is not null)`;

/** Tickets, their clocks and their routing among the rows. */
export const ticketChecks: readonly Check[] = [
  {
    name: 'answered-without-ticket',
    means: 'An opening was answered with a ticket that has no row.',
    mend: 'The row was deleted behind the product: restore crm_tickets from a backup.',
    sql: `
      select c.organization_id, 'command ' || c.command_id as subject, 'answered ' || c.answer_status || ' for ticket ' || c.record_id as detail
      from crm_core.crm_commands c
      where ${isStart} and c.state = 'answered' and c.answer_status < 300
        and not exists (select from crm_core.crm_tickets t where t.ticket_id = c.record_id)`,
  },
  {
    name: 'ticket-without-command',
    means: 'A ticket that somebody opened has no starting command in the ledger.',
    mend: 'The row was written behind the product, or the ledger was: compare both with a backup.',
    sql: `
      select t.organization_id, 'ticket ' || t.ticket_id as subject, 'opened ' || t.opened_at || ' by ' || t.created_by as detail
      from crm_core.crm_tickets t
      where ${wasOpened} and not exists (select from crm_core.crm_commands c where c.record_id = t.ticket_id and ${isStart})`,
  },
  {
    name: 'opening-untold',
    means: "A ticket's timeline does not tell of its opening.",
    mend: 'The row was written behind the product: compare it with a backup.',
    sql: `
      select t.organization_id, 'ticket ' || t.ticket_id as subject, 'opened ' || t.opened_at as detail
      from crm_core.crm_tickets t
      where ${wasOpened} and not exists (select from crm_core.crm_timeline e where e.subject_id = t.ticket_id and e.kind = 'ticket.opened')`,
  },
  {
    name: 'ticket-load-miscounted',
    means: 'The number of open tickets kept with a user is not the number of open tickets assigned to them.',
    mend: 'Find out what wrote crm_tickets or crm_users past the trigger; then set open_tickets to the number counted.',
    sql: `
      select u.organization_id, 'user ' || u.user_id as subject, 'kept ' || u.open_tickets || ', counted ' || coalesce(c.tickets, 0) as detail
      from crm_core.crm_users u
      left join (select t.assigned_user_id, count(*) as tickets from crm_core.crm_tickets t where ${open} group by t.assigned_user_id) c
        on c.assigned_user_id = u.user_id
      where u.open_tickets <> coalesce(c.tickets, 0)`,
  },
  {
    name: 'routing-unexplained',
    means: 'A ticket is with an agent or in the queue, but no stored decision says why.',
    mend: 'Assign it by the command `assign`, which stores its decision.',
    sql: `
      select t.organization_id, 'ticket ' || t.ticket_id as subject, 'round ' || t.round || ', stage ' || t.stage as detail
      from crm_core.crm_tickets t
      where ${open} and not exists (select from crm_core.crm_ticket_assignments a
        where a.ticket_id = t.ticket_id and a.round = t.round and a.user_id is not distinct from t.assigned_user_id)`,
  },
  {
    name: 'tickets-over-capacity',
    means: 'Routing by turn gave somebody more open tickets than their capacity was.',
    mend: 'Two routings ran without the lock between them: report it, and assign what is too much to others.',
    // As with leads: reopened and restored tickets may stand above a capacity, and the highest that was in force counts.
    sql: `
      select u.organization_id, 'user ' || u.user_id as subject, given.tickets || ' open tickets by turn, capacity ' || highest.capacity as detail
      from crm_core.crm_users u
      join (
        select t.assigned_user_id as user_id, count(*) as tickets
        from crm_core.crm_tickets t
        join crm_core.crm_ticket_assignments a on a.ticket_id = t.ticket_id and a.round = t.round and a.took_turn and not a.over_capacity
        where ${open} and t.reopen_count = 0
          and not exists (select from crm_core.crm_auditlog e where e.subject_id = t.ticket_id and e.subject_type = 'ticket' and e.field = 'deletedAt')
        group by t.assigned_user_id) given on given.user_id = u.user_id
      cross join lateral (
        select greatest(u.ticket_capacity, max((e.value_before #>> '{}')::int)) as capacity
        from crm_core.crm_auditlog e
        where e.organization_id = u.organization_id and e.subject_id = u.user_id and e.subject_type = 'user' and e.field = 'ticketCapacity') highest
      where given.tickets > highest.capacity`,
  },
  {
    name: 'breach-unnoticed',
    means: 'A clock was due more than a minute ago, and nobody has said that it is late.',
    mend: 'See that a worker runs and is not overloaded: `npx crm doctor`.',
    sql: `
      select k.organization_id, 'ticket ' || k.ticket_id as subject, k.target || ' ' || k.ordinal || ' was due ' || k.due_at as detail
      from crm_core.crm_sla_clocks k join crm_core.crm_tickets t on t.ticket_id = k.ticket_id
      where ${open} and k.state = 'running' and k.due_at < now() - ${graceInterval} and not ${inDelivery('k.ticket_id')}`,
  },
  {
    name: 'breach-unrecorded',
    means: 'A clock is late, and no step of its ticket says so; or a breach on record is none of its clock.',
    mend: 'crm_sla_clocks or crm_ticket_steps was changed behind the product: compare both with a backup.',
    sql: `
      select k.organization_id, 'ticket ' || k.ticket_id as subject,
        k.target || ' ' || k.ordinal || ' is ' || k.state || case when k.breached then ', late since ' || k.breached_at || ', without a step' else ', not late, but has a step' end as detail
      from crm_core.crm_sla_clocks k
      left join crm_core.crm_ticket_steps s on s.sla_clock_id = k.sla_clock_id and s.step = 'breach' and s.life = k.life
        and s.outcome not like 'taken back%'
      where k.breached <> (s.ticket_step_id is not null)`,
  },
  {
    name: 'clock-unplanned',
    means: 'A clock runs, and its ticket waits for nothing, or for something later than its due time.',
    mend: 'Send its process the signal `configurationChanged {}`, upon which it plans again.',
    sql: `
      select t.organization_id, 'ticket ' || t.ticket_id as subject,
        k.target || ' ' || k.ordinal || ' is due ' || coalesce(k.due_at::text, 'never') || ', the ticket waits until ' || coalesce(t.next_due_at::text, 'nothing') as detail
      from crm_core.crm_sla_clocks k join crm_core.crm_tickets t on t.ticket_id = k.ticket_id
      where k.state = 'running' and k.deleted_at is null and t.deleted_at is null
        and (k.due_at is null or t.next_due_at is null or t.next_due_at > k.due_at) and not ${inDelivery('k.ticket_id')}`,
  },
  {
    name: 'clock-left-running',
    means: 'A ticket is resolved, closed or merged, and one of its clocks has not ended.',
    mend: 'Reopen the ticket and resolve it again; then find out what wrote the clock.',
    sql: `
      select k.organization_id, 'ticket ' || k.ticket_id as subject, k.target || ' ' || k.ordinal || ' is ' || k.state || ', the ticket ' || t.stage as detail
      from crm_core.crm_sla_clocks k join crm_core.crm_tickets t on t.ticket_id = k.ticket_id
      where t.stage in ('resolved', 'closed', 'merged') and t.deleted_at is null and k.ended_at is null`,
  },
  {
    name: 'clock-unexplained',
    means: 'The intervals of a clock do not tell every minute from its start to its end, once.',
    mend: 'Report it: the explanation of this clock cannot be trusted. Setting the priority again computes its due time anew.',
    sql: `
      select k.organization_id, 'ticket ' || k.ticket_id as subject, k.target || ' ' || k.ordinal || ', interval ' || i.place as detail
      from crm_core.crm_sla_clocks k
      cross join lateral (
        select place, (value ->> 'from')::timestamptz as starts,
          lag((value ->> 'to')::timestamptz, 1, k.started_at) over (order by place) as expected,
          (value ->> 'to')::timestamptz as ends, place = jsonb_array_length(k.intervals) as is_last
        from jsonb_array_elements(k.intervals) with ordinality as e(value, place)) i
      where i.starts is distinct from i.expected or (i.is_last and i.ends is distinct from k.ended_at)`,
  },
];
