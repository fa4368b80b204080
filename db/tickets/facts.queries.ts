import type { EntityManager } from '@mikro-orm/postgresql';
import { organizationOf } from '../database.ts';
import { type FactContext, ticketFacts, type TicketFacts } from '../../workflows/tickets/facts.ts';
import type { TicketRow } from './ticket-state.queries.ts';

/** The facts of a stored ticket, as its account and its requester are now. */
export async function readFacts(em: EntityManager, ticket: TicketRow): Promise<TicketFacts> {
  const [row]: FactContext[] = await em.execute(
    `select
       (select jsonb_build_object('accountName', account_name, 'segment', segment, 'industry', industry, 'accountType', account_type)
          from crm_core.crm_accounts where organization_id = ? and account_id = ? and deleted_at is null) as account,
       (select jsonb_build_object('primaryEmail', primary_email, 'country', country)
          from crm_core.crm_people where organization_id = ? and person_id = ?) as requester`,
    [ticket.organizationId, ticket.accountId, ticket.organizationId, ticket.requesterPersonId],
  );
  return ticketFacts(ticket, row ?? { account: null, requester: { primaryEmail: null, country: null } });
}

/** How an agent stands: whether they can be waited for now, and when they go out of office next. */
export interface Presence {
  isThere: boolean;
  awayFrom: Date | null;
}

/** The presence of an agent at the instant `at`; whoever is not active or not on record is not there. */
export async function readPresence(em: EntityManager, userId: string, at: Date): Promise<Presence> {
  const [row]: { active: boolean; from: string | null; until: string | null }[] = await em.execute(
    `select active, to_json(out_of_office_from) #>> '{}' as "from", to_json(out_of_office_until) #>> '{}' as until
     from crm_core.crm_users where organization_id = ? and user_id = ? and deleted_at is null`,
    [organizationOf(em), userId],
  );
  if (!row?.active) return { isThere: false, awayFrom: null };
  const from = row.from === null ? null : new Date(row.from);
  const hasEnded = row.until !== null && new Date(row.until) <= at;
  if (from === null || hasEnded) return { isThere: true, awayFrom: null };
  return from <= at ? { isThere: false, awayFrom: null } : { isThere: true, awayFrom: from };
}
