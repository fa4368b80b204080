import type { EntityManager } from '@mikro-orm/postgresql';
import { isSuspended } from '../access/membership.queries.ts';
import { type Database, statementAcrossOrganizations } from '../database.ts';
import { replyBounced } from './bounces.queries.ts';
import type { TicketRow } from './ticket-state.queries.ts';

/** A public reply with all that its mail says. Message-IDs without angle brackets. */
export interface StoredReply {
  /** Short name of the organisation. */
  organization: string;
  /** Addresses to which it has not left yet, and was not refused for good. */
  waiting: string[];
  /** Of all to whom it goes: the requester, and those of tickets that had been merged into this one, who waited, too. */
  recipientCount: number;
  /** Of those for whom it was refused for good. */
  refusedCount: number;
  number: number;
  subject: string;
  text: string;
  html: string | null;
  messageId: string;
  inReplyTo: string | null;
  references: string[];
}

/** What the statement reads: to whom it goes, and to whom it need not go any more. */
interface ReplyRow extends Omit<StoredReply, 'waiting' | 'recipientCount' | 'refusedCount'> {
  to: string | null;
  copies: string[];
  delivered: string[];
  refused: string[];
}

/**
 * A reply on the ticket `ticketId`, whatever that was merged into since, that has not left for everybody yet; null when it
 * has, or was refused for good, when message or ticket were deleted, or when nobody has a mail address: it goes to the
 * requester, or for want of an address of theirs to whoever wrote last, and to the requesters of those that were merged
 * into the ticket before.
 */
export async function readUnsentReply(
  relay: Database,
  organizationId: string,
  ticketId: string,
  conversationMessageId: string,
): Promise<StoredReply | null> {
  const [found] = await statementAcrossOrganizations<ReplyRow>(
    relay,
    `with recursive absorbed as (
       select a.organization_id, a.ticket_id, a.requester_person_id, a.closed_at, 1 as steps from crm_core.crm_tickets a
       where a.organization_id = ? and a.ticket_id in (
         select merged_id from crm_core.crm_merges g
         where g.organization_id = a.organization_id and g.survivor_id = ? and g.subject_type = 'ticket')
       union all
       select a.organization_id, a.ticket_id, a.requester_person_id, absorbed.closed_at, steps + 1
       from absorbed
         join crm_core.crm_merges g
           on g.organization_id = absorbed.organization_id and g.survivor_id = absorbed.ticket_id and g.subject_type = 'ticket'
         join crm_core.crm_tickets a on a.organization_id = g.organization_id and a.ticket_id = g.merged_id
       where steps < 10)
     select o.slug as organization, t.number, t.subject, m.body as text, m.body_html as html, m.message_id as "messageId",
       m.in_reply_to as "inReplyTo", m.mail_references as "references",
       coalesce(p.primary_email, (
         select w.addresses -> 'from' ->> 'address' from crm_core.crm_conversation_messages w
         where w.organization_id = t.organization_id and w.ticket_id = t.ticket_id and w.kind = 'customer'
           and w.addresses is not null and w.deleted_at is null
         order by w.sent_at desc limit 1)) as "to",
       array(
         select distinct c.primary_email from absorbed
           join crm_core.crm_people c on c.organization_id = t.organization_id and c.person_id = absorbed.requester_person_id
         where absorbed.closed_at <= m.sent_at and c.primary_email is distinct from p.primary_email and c.primary_email is not null
         order by 1) as copies,
       array(select jsonb_path_query(m.addresses, '$.to[*].address') #>> '{}') as delivered,
       array(select jsonb_path_query(m.addresses, '$.refused[*].address') #>> '{}') as refused
     from crm_core.crm_conversation_messages m
       join crm_core.crm_tickets t on t.ticket_id = ? and t.organization_id = m.organization_id
       join crm_core.crm_people p on p.organization_id = t.organization_id and p.person_id = t.requester_person_id
       join crm_core.core_organizations o on o.organization_id = m.organization_id
     where m.conversation_message_id = ? and m.organization_id = ? and m.kind = 'reply' and m.message_id is not null
       and m.deleted_at is null and t.deleted_at is null`,
    [organizationId, ticketId, ticketId, conversationMessageId, organizationId],
  );
  if (!found) return null;
  const { to, copies, delivered, refused, ...reply } = found;
  const recipients = [...new Set(to === null ? copies : [to, ...copies])];
  const waiting = recipients.filter((address) => !delivered.includes(address) && !refused.includes(address));
  if (waiting.length === 0) return null;
  return { ...reply, waiting, recipientCount: recipients.length, refusedCount: refused.length };
}

/** The addresses of a reply with some added to a list: a parameter, JSON such as `[{"address": …}]`. */
const withAdded = (list: 'to' | 'refused'): string =>
  `coalesce(m.addresses, '{"to": [], "refused": []}') || jsonb_build_object('${list}', coalesce(m.addresses -> '${list}', '[]') || ?::jsonb)`;

const listed = (addresses: readonly string[]): string => JSON.stringify(addresses.map((address) => ({ address })));

/** The mail server has taken the reply over at `at` for the recipient `address`. */
export async function markReplySent(
  relay: Database,
  organizationId: string,
  conversationMessageId: string,
  { at, address }: { at: Date; address: string },
): Promise<void> {
  await statementAcrossOrganizations(
    relay,
    `update crm_core.crm_conversation_messages m
     set delivered_at = coalesce(m.delivered_at, ?), addresses = ${withAdded('to')}, updated_at = ?, version = m.version + 1
     where m.conversation_message_id = ? and m.organization_id = ?`,
    [at, listed([address]), at, conversationMessageId, organizationId],
  );
}

/** A reply that did not reach a recipient: the ticket it is on now, and who is to know of it. */
export interface UndeliveredReply {
  ticketId: string;
  number: number;
  subject: string;
  teamId: string | null;
  /** Its author, or for want of them whoever has the ticket; null: nobody. */
  userId: string | null;
}

/** Why a reply is undelivered: `refused` are addresses for which it was refused for good now, none when it came back. */
export interface Undelivered {
  at: Date;
  by: string;
  reason: string;
  refused: readonly string[];
}

/** Marks a reply as undelivered; null when it was before and is refused for nobody else, or is not there. */
export async function markReplyUndelivered(
  em: EntityManager,
  organizationId: string,
  conversationMessageId: string,
  { at, by, reason, refused }: Undelivered,
): Promise<UndeliveredReply | null> {
  const [reply]: UndeliveredReply[] = await em.execute(
    `update crm_core.crm_conversation_messages m
     set undelivered_at = ?, undelivered_reason = ?, addresses = ${withAdded('refused')}, updated_at = ?, updated_by = ?, version = m.version + 1
     from crm_core.crm_tickets t
     where m.organization_id = ? and m.conversation_message_id = ? and m.kind = 'reply' and (m.undelivered_at is null or ?)
       and m.deleted_at is null and t.organization_id = m.organization_id and t.ticket_id = m.ticket_id
     returning t.ticket_id as "ticketId", t.number, t.subject, t.team_id as "teamId",
       coalesce((select u.user_id from crm_core.crm_users u
         where u.organization_id = m.organization_id and u.user_id = m.author_user_id and u.active and u.deleted_at is null
           and not ${isSuspended('u')}),
         t.assigned_user_id) as "userId"`,
    [at, reason.slice(0, 500), listed(refused), at, by, organizationId, conversationMessageId, refused.length > 0],
  );
  return reply ?? null;
}

/** What became of the mail of a ticket's last reply. */
export interface LastReply {
  /** It did not reach somebody whom it was for; what came back may not have been told of yet. */
  isUndelivered: boolean;
  /** It has not left yet. */
  isLeaving: boolean;
  /** When it left; null where nobody has an address, too. */
  deliveredAt: Date | null;
}

/** The last reply of a ticket; null when it has none. */
export async function readLastReply(
  em: EntityManager,
  { organizationId, id }: Pick<TicketRow, 'organizationId' | 'id'>,
): Promise<LastReply | null> {
  const awaited = (kind: string) => `exists (
    select from crm_core.crm_outbox e
    where e.organization_id = m.organization_id and e.delivered_at is null and e.kind = '${kind}'
      and e.payload ->> 'conversationMessageId' = m.conversation_message_id::text)`;
  const [last]: (Omit<LastReply, 'deliveredAt'> & { deliveredAt: string | null })[] = await em.execute(
    `select m.undelivered_at is not null or ${awaited(replyBounced)} as "isUndelivered",
       ${awaited('ticket_reply.created')} as "isLeaving", m.delivered_at as "deliveredAt"
     from crm_core.crm_conversation_messages m
     where m.organization_id = ? and m.ticket_id = ? and m.kind = 'reply' and m.deleted_at is null
     order by m.sent_at desc, m.conversation_message_id desc limit 1`,
    [organizationId, id],
  );
  if (!last) return null;
  return { ...last, deliveredAt: last.deliveredAt === null ? null : new Date(last.deliveredAt) };
}
