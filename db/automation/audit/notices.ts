import type { Check } from './check.ts';

/** Who was to be told of what: each of it once a time. Who takes something for themselves need not be told. */
const owed = `
  select a.organization_id, 'lead' as subject_type, a.lead_id as subject_id, a.user_id, 'lead.assigned' as kind
  from crm_core.crm_lead_assignments a where a.created_by <> 'user:' || a.user_id
  union all
  select a.organization_id, 'ticket', a.ticket_id, a.user_id, 'ticket.assigned'
  from crm_core.crm_ticket_assignments a
  left join crm_core.crm_ticket_assignments before on before.ticket_id = a.ticket_id and before.round = a.round - 1
  where a.user_id is not null and a.user_id is distinct from before.user_id
  union all
  select s.organization_id, 'lead', s.lead_id, s.user_id, 'lead.' || s.step
  from crm_core.crm_lead_steps s where s.step in ('remind_owner', 'remind_idle', 'close_stale') and s.user_id is not null
  union all
  select s.organization_id, 'ticket', s.ticket_id, s.user_id, 'ticket.breach'
  from crm_core.crm_ticket_steps s where s.step = 'breach' and s.user_id is not null`;

/** What has to leave, as rows `l`; the kind of the event that takes it along, and by what the event names it. */
const leaving = [
  {
    what: 'notification',
    rows: 'crm_core.crm_notifications l',
    key: 'l.notification_id',
    about: `l.kind || ' of ' || l.subject_type || ' ' || l.subject_id`,
    event: 'notification.created',
    named: 'notificationId',
  },
  {
    what: 'reply',
    rows: `(select * from crm_core.crm_conversation_messages where kind = 'reply') l`,
    key: 'l.conversation_message_id',
    about: `'of ticket ' || l.ticket_id`,
    event: 'ticket_reply.created',
    named: 'conversationMessageId',
  },
] as const;

const ofAllLeaving = (sql: (kind: (typeof leaving)[number]) => string): string =>
  leaving.map(sql).join('\n      union all');

/** Whether everybody was told, and whether what tells them was on its way. */
export const noticeChecks: readonly Check[] = [
  {
    name: 'notice-missing',
    means: 'Somebody was given a lead or a ticket, or it fell due, and they were never told.',
    mend: 'crm_notifications was changed behind the product, or the decision was: tell them, and compare both with a backup.',
    sql: `
      select o.organization_id, o.subject_type || ' ' || o.subject_id as subject,
        'user ' || o.user_id || ', ' || o.kind || ': ' || o.times || ' times owed, ' || coalesce(n.times, 0) || ' times told' as detail
      from (select organization_id, subject_type, subject_id, user_id, kind, count(*) as times from (${owed}) each
        group by organization_id, subject_type, subject_id, user_id, kind) o
      left join (select organization_id, subject_id, user_id, kind, count(*) as times from crm_core.crm_notifications
        group by organization_id, subject_id, user_id, kind) n
        on n.organization_id = o.organization_id and n.subject_id = o.subject_id and n.user_id = o.user_id and n.kind = o.kind
      where o.times > coalesce(n.times, 0)`,
  },
  {
    name: 'event-missing',
    means: 'A notification or a reply has no event in the outbox: its mail never left.',
    mend: 'crm_outbox was changed behind the product: send the mail by hand, and put the event back from a backup.',
    sql: ofAllLeaving(
      ({ what, rows, key, about, event, named }) => `
      select l.organization_id, '${what} ' || ${key} as subject, ${about} as detail
      from ${rows}
      where not exists (select from crm_core.crm_outbox e
        where e.organization_id = l.organization_id and e.kind = '${event}' and e.payload ->> '${named}' = ${key}::text)`,
    ),
  },
  {
    name: 'event-of-nothing',
    means: 'The outbox has told of a notification or a reply that has no row.',
    mend: 'The row was deleted behind the product: restore it from a backup.',
    sql: ofAllLeaving(
      ({ rows, key, event, named }) => `
      select e.organization_id, 'event ' || e.event_id as subject, e.kind || ' of ' || e.subject_type || ' ' || e.subject_id as detail
      from crm_core.crm_outbox e
      where e.kind = '${event}' and not exists (select from ${rows}
        where l.organization_id = e.organization_id and ${key}::text = e.payload ->> '${named}')`,
    ),
  },
];
