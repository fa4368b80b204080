import { ticketProcess } from '../../workflows/tickets/messages.ts';
import { type Database, inOrganization, statementAcrossOrganizations } from '../database.ts';

/** What decides where a mail goes. Message-IDs without angle brackets; `number` is a ticket's that the subject names. */
export interface MailPlace {
  messageId: string;
  /** What it answers, the nearest first. */
  answers: readonly string[];
  number: number | null;
  from: string;
  receivedAt: Date;
}

/** Where a mail belongs. */
export interface PlacedMail {
  /** The ticket that has this very mail already. */
  knownTicketId: string | null;
  /**
   * The ticket that it continues, decided on or not; one that was merged is followed to where it went. A deleted one, which
   * has or opens a follow-up, when there is no other.
   */
  ticket: { id: string; status: string; stage: string } | null;
  /** Messages from the same address within the hour before. */
  recentCount: number;
}

/** The organisation with this short name, or null; the one question that is asked before an organisation is known. */
export async function findOrganizationOfSlug(relay: Database, slug: string): Promise<string | null> {
  const [found] = await statementAcrossOrganizations<{ id: string }>(
    relay,
    'select organization_id as id from crm_core.core_organizations where lower(slug) = ? and deleted_at is null',
    [slug],
  );
  return found?.id ?? null;
}

const placeSql = `
  with recursive asked as (
    select ?::uuid as organization_id, array(select jsonb_array_elements_text(?::jsonb)) as ids, ?::text as mailed_from),
  named as (
    select m.ticket_id, array_position(asked.ids, m.message_id::text) as nearness
    from crm_core.crm_conversation_messages m join asked using (organization_id)
    where m.message_id = any(asked.ids) and m.deleted_at is null
    union all
    select t.ticket_id, 1000000 from crm_core.crm_tickets t join asked using (organization_id)
    where t.number = ? and (
      exists (
        select from crm_core.crm_people p
        where p.organization_id = t.organization_id and p.person_id = t.requester_person_id and p.primary_email = asked.mailed_from)
      or exists (
        select from crm_core.crm_conversation_messages m
        where m.organization_id = t.organization_id and m.ticket_id = t.ticket_id
          and m.addresses -> 'from' ->> 'address' = asked.mailed_from and m.deleted_at is null))),
  followed as (
    select t.organization_id, t.ticket_id, t.status, t.stage, t.merged_into_ticket_id, t.deleted_at, named.nearness, 0 as steps
    from named cross join asked join crm_core.crm_tickets t using (organization_id, ticket_id)
    union all
    select t.organization_id, t.ticket_id, t.status, t.stage, t.merged_into_ticket_id, t.deleted_at, followed.nearness,
      followed.steps + 1
    from followed join crm_core.crm_tickets t
      on t.organization_id = followed.organization_id and t.ticket_id = followed.merged_into_ticket_id
    where followed.steps < 10)
  select ticket_id as id, status, stage from followed where merged_into_ticket_id is null
  order by deleted_at is not null, nearness limit 1`;

// A mail that was accepted and is no message yet, while no worker was there to take it.
const owedSql = `
  with asked as (select array(select jsonb_array_elements_text(?::jsonb)) as ids)
  select c.record_id as id, coalesce(t.status, 'open') as status, coalesce(t.stage, 'received') as stage
  from asked cross join crm_core.crm_commands c
  left join crm_core.crm_tickets t on t.organization_id = c.organization_id and t.ticket_id = c.record_id
  where c.organization_id = ? and c.process = ? and c.state = 'received' and c.deleted_at is null
    and c.body -> 'mail' ->> 'messageId' = any(asked.ids)
  order by array_position(asked.ids, c.body -> 'mail' ->> 'messageId') limit 1`;

/** Places a mail within an organisation: by what it answers, else by number and sender. Reads only. */
export async function placeMail(database: Database, organizationId: string, mail: MailPlace): Promise<PlacedMail> {
  return inOrganization(database, organizationId, async (em) => {
    const [known]: { ticket_id: string }[] = await em.execute(
      `select ticket_id from crm_core.crm_conversation_messages 
       where organization_id = ? and message_id = ? and deleted_at is null limit 1`,
      [organizationId, mail.messageId],
    );
    if (known) return { knownTicketId: known.ticket_id, ticket: null, recentCount: 0 };
    const [ticket]: { id: string; status: string; stage: string }[] = await em.execute(placeSql, [
      organizationId,
      JSON.stringify(mail.answers),
      mail.from,
      mail.number,
    ]);
    const [undecided]: { id: string; status: string; stage: string }[] =
      ticket || mail.answers.length === 0
        ? []
        : await em.execute(owedSql, [JSON.stringify(mail.answers), organizationId, ticketProcess.name]);
    const [recent]: { count: number }[] = await em.execute(
      `select count(*)::int as count from crm_core.crm_conversation_messages
       where organization_id = ? and created_at > ?::timestamptz - interval '1 hour' and kind = 'customer' and deleted_at is null
         and addresses -> 'from' ->> 'address' = ?`,
      [organizationId, mail.receivedAt, mail.from],
    );
    return { knownTicketId: null, ticket: ticket ?? undecided ?? null, recentCount: recent?.count ?? 0 };
  });
}
