import type { EntityManager } from '@mikro-orm/postgresql';
import type { RowOf } from '../../db/model/entity.ts';
import { Problem } from '../../db/model/problem.ts';
import { type Agent, findAgent } from '../../db/tickets/routing.queries.ts';
import type { Ticket } from '../../db/tickets/ticket.ts';
import { isAway } from '../../workflows/assignment/absence.ts';
import type { Assignment } from '../../workflows/assignment/assignment.ts';

/**
 * The decision of a person for this user, who may be over capacity by it, and for the team named or one of theirs; in the
 * team that the ticket is with it goes on by the rule that led there. Problem `rule_violation` for somebody who
 * does not work here, is away now (the ticket would go back at once), lacks a skill, or is not in the team named.
 */
export async function chosenAgent(
  em: EntityManager,
  at: Date,
  ticket: Pick<RowOf<typeof Ticket>, 'skills' | 'teamId' | 'routingRuleId' | 'routingRuleVersion'>,
  userId: string,
  teamId: string | null | undefined,
): Promise<Assignment & { userId: string }> {
  const agent = await findAgent(em, userId, at);
  if (!agent) throw refusal('userId', 'is not a user of this organisation');
  const hindrance = hindranceOf(agent, ticket.skills, at);
  if (hindrance) throw refusal('userId', hindrance);
  if (teamId && !agent.teamIds.includes(teamId)) throw refusal('userId', 'is not in this team');
  const seat = teamId ?? agent.teamIds.find((id) => id === ticket.teamId) ?? agent.teamIds[0] ?? null;
  const stays = !teamId && seat === ticket.teamId;
  const reason = 'given by a person';
  return {
    userId,
    teamId: seat,
    ruleId: stays ? ticket.routingRuleId : null,
    ruleVersion: stays ? ticket.routingRuleVersion : null,
    reason,
    turn: null,
    overCapacity: agent.openCount >= agent.capacity,
    candidates: [{ userId, teamId: seat, outcome: 'chosen', code: 'chosen', reason }],
    rulesTried: [],
  };
}

function hindranceOf(agent: Agent, required: readonly string[], at: Date): string | null {
  if (!agent.active) return 'is not active';
  if (agent.suspended) return 'is suspended';
  const lacking = required.filter((skill) => !agent.skills.includes(skill));
  if (lacking.length > 0) return `lacks ${lacking.map((skill) => `"${skill}"`).join(', ')}, which the ticket needs`;
  const until = agent.outOfOffice?.until ?? 'further notice';
  return isAway(agent, at.toISOString()) ? `is out of office until ${until}` : null;
}

/** The Problem of an `assign` that names somebody or some team who cannot be given the ticket. */
export function refusal(path: string, message: string): Problem {
  return new Problem('rule_violation', 'The ticket cannot be assigned so; see errors.', [{ path, message }]);
}
