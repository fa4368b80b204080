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

/** The presence of an agent at the instant `at`; whoever is not active, locked out, or could be given nothing as away, is not there. */
export async function readPresence(em: EntityManager, userId: string, at: Date): Promise<Presence> {
  const agent = await findAgent(em, userId, at);
  if (!agent?.active || agent.suspended || isAway(agent, at.toISOString())) return { isThere: false, awayFrom: null };
  const from = agent.outOfOffice === null ? null : new Date(agent.outOfOffice.from);
  return { isThere: true, awayFrom: from !== null && from > at ? from : null };
}

/**
 * Whether the agent who has a ticket got it by a turn of a team (their own, or as a delegate) and was removed from that
 * team since, or the team was. Whoever was named by a person, or is the fallback, did not get it through their place there.
 */
export async function hasLeftTeam(
  em: EntityManager,
  { organizationId, id, round, assignedUserId }: Pick<TicketRow, 'organizationId' | 'id' | 'round' | 'assignedUserId'>,
): Promise<boolean> {
  const [row]: { left: boolean | null }[] = await em.execute(
    `select bool_or(t.deleted_at is not null) or (bool_and(m.deleted_at is not null) and bool_or(m.deleted_at > d.decided_at)) as left
     from crm_core.crm_ticket_assignments d
     join crm_core.crm_teams t on t.organization_id = d.organization_id and t.team_id = d.team_id
     left join crm_core.crm_team_members m on m.organization_id = d.organization_id and m.team_id = d.team_id and m.user_id = d.user_id
     where d.organization_id = ? and d.ticket_id = ? and d.round = ? and d.deleted_at is null and d.user_id = ? and d.took_turn`,
    [organizationId, id, round, assignedUserId],
  );
  return row?.left === true;
}
