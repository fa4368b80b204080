import type { EntityManager } from '@mikro-orm/postgresql';
import { emailDomain, isFreeMail } from '../../workflows/leads/facts.ts';
import { ticketProcess } from '../../workflows/tickets/messages.ts';
import type { StoredOpening } from '../../workflows/tickets/opening.ts';
import type { Actor } from '../access/actor.ts';
import type { KnownPerson } from '../leads/intake.queries.ts';
import { policiesOf, policiesSql, type StoredPolicy } from './policies.queries.ts';

/**
 * The command that opened a ticket; `mail` says that a mail did, which the conversation reads from the ledger. A follow-up
 * was opened by a message of the customer, which may have had a Message-ID.
 */
export interface Opening {
  commandId: string;
  organizationId: string;
  ticketId: string;
  actor: Actor;
  receivedAt: Date;
  body: StoredOpening & { mail?: unknown; messageId?: string | undefined };
}

const openingSql = `
  with opening as materialized (
    select command_id, actor, received_at, body from crm_core.crm_commands
    where organization_id = ? and record_id = ? and message = ? order by received_at, command_id limit 1),
  keys as materialized (
    select distinct hashtextextended(? || ':' || contact, 7) as key
    from opening, unnest(array[body #>> '{requester,email}', body #>> '{requester,phone}']) as contact
    where contact is not null order by key),
  locks as materialized (select pg_advisory_xact_lock(key)::text as held from keys)
  select opening.*, (select count(held) from locks) as held from opening`;

/**
 * The opening of a ticket, with openings and captures of the same person serialised until the transaction ends (as
 * `lockCapture` does). Null when the ledger knows no opening, or has forgotten its body.
 */
export async function lockOpening(
  em: EntityManager,
  organizationId: string,
  ticketId: string,
): Promise<Opening | null> {
  const [row]: { command_id: string; actor: Actor; received_at: Date | string; body: Opening['body'] | null }[] =
    await em.execute(openingSql, [organizationId, ticketId, ticketProcess.startUpdate, organizationId]);
  if (!row?.body) return null;
  return {
    commandId: row.command_id,
    organizationId,
    ticketId,
    actor: row.actor,
    receivedAt: new Date(row.received_at),
    body: row.body,
  };
}

/** The account of a ticket, as its facts see it. */
export interface TicketAccount {
  id: string;
  accountName: string;
  segment: string | null;
  industry: string | null;
  accountType: string | null;
}

/** What the decision on an opening needs to know but the agents' load. */
export interface OpeningContext {
  /** There is a row of this ticket: it was decided on before. */
  isDecided: boolean;
  /** Who asks: the person named, deleted or not; else one on record who is recognised. */
  person: (KnownPerson & { country: string | null }) | null;
  account: TicketAccount | null;
  policies: StoredPolicy[];
}

// A person who was named stays the requester when they are deleted meanwhile; nobody else is recognised in a deleted one.
const contextSql = `
  with person as materialized (
    select * from crm_core.crm_people
    where organization_id = ?
      and (person_id = ? or (primary_email = ? and deleted_at is null)
        or (primary_phone = ? and normalized_name = ? and deleted_at is null))
    order by (person_id = ?) is true desc, (primary_email = ?) is true desc, created_at, person_id limit 1)
  select
    exists (select from crm_core.crm_tickets where organization_id = ? and ticket_id = ?) as "isDecided",
    (select jsonb_build_object('id', person_id, 'fullName', full_name, 'primaryEmail', primary_email, 'primaryPhone', primary_phone,
        'emailStatus', email_status, 'country', country) from person) as person,
    (select jsonb_build_object('id', account_id, 'accountName', account_name, 'segment', segment, 'industry', industry,
        'accountType', account_type)
       from crm_core.crm_accounts a
       where a.organization_id = ? and a.deleted_at is null
         and case when ?::uuid is not null then a.account_id = ?
             else a.account_id in (select k.account_id from crm_core.crm_contacts k join person using (organization_id, person_id) where k.deleted_at is null)
               or a.domain = ? end
       order by (a.domain = ?) is true desc, a.created_at, a.account_id limit 1) as account,
    (${policiesSql}) as policies`;

/** Reads, in one statement, who asks, for which account, and what may be promised. */
export async function readOpeningContext(
  em: EntityManager,
  { organizationId, ticketId, body: { requester, requesterPersonId, accountId } }: Opening,
): Promise<OpeningContext> {
  const email = requester?.email ?? null;
  const mailDomain = emailDomain(email);
  const domain = mailDomain === '' || isFreeMail(mailDomain) ? null : mailDomain;
  const [row]: (Omit<OpeningContext, 'policies'> & { policies: Parameters<typeof policiesOf>[0] })[] = await em.execute(
    contextSql,
    [
      organizationId,
      requesterPersonId,
      email,
      requester?.phone ?? null,
      requester?.normalizedName ?? null,
      requesterPersonId,
      email,
      organizationId,
      ticketId,
      organizationId,
      accountId,
      accountId,
      domain,
      domain,
      organizationId,
    ],
  );
  if (!row) throw new Error('The context of the opening was empty');
  return { ...row, policies: policiesOf(row.policies) };
}

/** Takes the next number of the organisation's tickets; the organisation is locked until the transaction ends. */
export async function nextTicketNumber(em: EntityManager, organizationId: string): Promise<number> {
  const [row]: { number: number }[] = await em.execute(
    `update crm_core.core_organizations set last_ticket_number = last_ticket_number + 1 where organization_id = ?
     returning last_ticket_number as number`,
    [organizationId],
  );
  if (!row) throw new Error(`There is no organisation ${organizationId}.`);
  return row.number;
}
