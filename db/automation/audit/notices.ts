import type { Check } from './check.ts';

/** What is given to somebody, who is told. Who takes something for themselves need not be. */
const given = `
  select a.organization_id, 'lead' as subject_type, a.lead_id as subject_id, 'lead.assigned' as kind, a.user_id
  from crm_core.crm_lead_assignments a where a.created_by <> 'user:' || a.user_id
  union all
  select a.organization_id, 'ticket', a.ticket_id, 'ticket.assigned', a.user_id
  from crm_core.crm_ticket_assignments a
  left join crm_core.crm_ticket_assignments before on before.ticket_id = a.ticket_id and before.round = a.round - 1
  where a.user_id is not null and a.user_id is distinct from before.user_id`;

/** What falls due with whoever has it: they are told, or who stands in for them. A merge brings steps that were told of before. */
const due = `
  select s.organization_id, 'lead' as subject_type, s.lead_id as subject_id, 'lead.' || s.step as kind
  from crm_core.crm_lead_steps s where s.step in ('remind_owner', 'remind_idle', 'close_stale') and s.user_id is not null
  union all
  select s.organization_id, 'ticket', s.ticket_id, 'ticket.breach'
  from crm_core.crm_ticket_steps s where s.step = 'breach' and s.user_id is not null
    and not exists (select from crm_core.crm_merges m where m.survivor_id = s.ticket_id)`;

/** What is owed more often than it was told, by these columns besides subject and kind. */
const untold = (owed: string, ...besides: string[]): string => {
  const columns = ['organization_id', 'subject_id', 'kind', ...besides];
  return `
      select o.organization_id, o.subject_type || ' ' || o.subject_id as subject,
        concat_ws(', ', ${besides
          .map((column) => `'to ' || o.${column}`)
          .concat('o.kind')
          .join(', ')}) || ': owed ' || o.times || ' times, told ' || coalesce(n.times, 0) as detail
      from (select ${columns.join(', ')}, subject_type, count(*) as times from (${owed}) each group by ${columns.join(', ')}, subject_type) o
      left join (select ${columns.join(', ')}, count(*) as times from crm_core.crm_notifications group by ${columns.join(', ')}) n
        on ${columns.map((column) => `n.${column} = o.${column}`).join(' and ')}
      where o.times > coalesce(n.times, 0)`;
};

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
    sql: `${untold(given, 'user_id')} union all ${untold(due)}`,
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
