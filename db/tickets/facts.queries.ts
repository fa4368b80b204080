import type { EntityManager } from '@mikro-orm/postgresql';
import { isAway } from '../../workflows/assignment/absence.ts';
import { type FactContext, ticketFacts, type TicketFacts } from '../../workflows/tickets/facts.ts';
import { findAgent } from './routing.queries.ts';
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

/** The presence of an agent at the instant `at`; whoever is not active, or could be given nothing as away, is not there. */
export async function readPresence(em: EntityManager, userId: string, at: Date): Promise<Presence> {
  const agent = await findAgent(em, userId, at);
  if (!agent?.active || isAway(agent, at.toISOString())) return { isThere: false, awayFrom: null };
  const from = agent.outOfOffice === null ? null : new Date(agent.outOfOffice.from);
  return { isThere: true, awayFrom: from !== null && from > at ? from : null };
}
