import { isDeepStrictEqual } from 'node:util';
import type { EntityManager } from '@mikro-orm/postgresql';
import { decisionRow } from '../../db/assignment/decision.ts';
import { readTeams, type TeamLoad, turnTaken } from '../../db/assignment/teams.queries.ts';
import type { Change } from '../../db/model/changes.ts';
import type { RowOf } from '../../db/model/entity.ts';
import type { Insertion, Statement } from '../../db/model/set-based.ts';
import { lockRouting, readMatchedRules } from '../../db/tickets/routing.queries.ts';
import { TicketAssignment } from '../../db/tickets/ticket-assignment.ts';
import type { Ticket } from '../../db/tickets/ticket.ts';
import { type Assignment, chooseAssignee } from '../../workflows/assignment/assignment.ts';
import { nextTry } from '../../workflows/assignment/next-try.ts';
import type { AssignmentRule } from '../../workflows/assignment/rules.ts';
import { ticketConditions, type TicketFacts } from '../../workflows/tickets/facts.ts';
import { capacityFreed } from './capacity.ts';
import { chosenAgent, refusal } from './chosen-agent.ts';

/** Where a ticket goes in which round, and the rows that keep the decision. */
export interface Routed {
  /** What changes in the ticket; nothing when it is in the queue already and stays there as it is. */
  values: Partial<
    Pick<
      RowOf<typeof Ticket>,
      'stage' | 'assignedUserId' | 'assignedAt' | 'teamId' | 'routingRuleId' | 'routingRuleVersion' | 'round'
    >
  >;
  rows: Insertion[];
  statements: Statement[];
  reason: string;
  /** Null: the ticket waits in the queue. */
  userId: string | null;
  /** When a queued ticket is routed again though nobody said that capacity is free; null for one that is assigned. */
  retryAt: Date | null;
}

type Routable = Pick<
  RowOf<typeof Ticket>,
  'stage' | 'skills' | 'round' | 'teamId' | 'assignedUserId' | 'routingRuleId' | 'routingRuleVersion'
>;

/** What is asked of a routing beyond the rules. */
export interface Wish {
  /** Whoever must not get it by the rules: those who had it and left it. */
  excludeUserIds: readonly string[];
  /** Somebody whom a person chose; may be over capacity then. */
  userId?: string | undefined;
  /**
   * The team that a person chose: one of its members gets it, whatever the rules say. Null: the team that the rules
   * choose. Left out, nobody decides on it now: what a person chose before holds.
   */
  teamId?: string | null | undefined;
}

/**
 * Decides who gets a ticket (DOMAIN, process 6): by the ordered rules a team, in it whoever has skills, room and the
 * next turn. Nobody has: it is queued, with every candidate explained; a team's own fallback takes it instead if the
 * team has one with the skills, the organisation's fallback never. Under the assignment lock: load and turns that are
 * read hold until the transaction ends. Problem `rule_violation` for a user or team that cannot be given it.
 */
export async function routeTicket(
  em: EntityManager,
  change: Change,
  ticket: Routable,
  facts: TicketFacts,
  { excludeUserIds, userId, teamId }: Wish,
): Promise<Routed> {
  const all = await lockRouting(em, change.organizationId);
  if (userId !== undefined) return assigned(change, ticket, await chosenAgent(em, change.at, ticket, userId, teamId));

  const wanted = teamId === undefined ? chosenBefore(ticket) : teamId;
  const rules = wanted === null ? all : [ruleOfChoice(all, wanted)];
  const matching = rules.filter(({ when }) => ticketConditions.test(when, facts).matched);
  const which = { teamIds: [...new Set(matching.map((rule) => rule.teamId))], userIds: [] };
  const { teams } = await readTeams(em, 'ticket', change.organizationId, which, change.at);
  const chosenTeam = wanted === null ? null : teams.find(({ id }) => id === wanted);
  if (chosenTeam === undefined) {
    if (teamId !== undefined) throw refusal('teamId', 'is not a team of this organisation');
    // The team that was chosen before is no more.
    return routeTicket(em, change, ticket, facts, { excludeUserIds, teamId: null });
  }

  const decision = chooseAssignee(ticketConditions, {
    facts,
    requiredSkills: ticket.skills,
    rules,
    teams,
    accountOwnerId: null,
    fallbackUserId: null,
    excludeUserIds: [...excludeUserIds],
    at: change.at.toISOString(),
  });
  const { userId: chosen } = decision;
  if (chosen !== null) {
    return assigned(change, ticket, { ...decision, userId: chosen, ...(chosenTeam ? byChoice(chosenTeam) : {}) });
  }
  const waitsFor = matching.find((rule) => teams.some(({ id }) => id === rule.teamId));
  const where = {
    teamId: waitsFor?.teamId ?? null,
    ruleId: waitsFor?.id ?? null,
    ruleVersion: waitsFor?.version ?? null,
    reason: waitsFor ? `rule "${waitsFor.name}": nobody can take it now` : 'no rule gives it to a team',
  };
  const waiting = { ...decision, ...where, ...(chosenTeam ? byChoice(chosenTeam) : {}) };
  const retryAt = nextTry(change.at, teams);
  return (await waitsAsBefore(em, change, ticket, waiting))
    ? { values: {}, rows: [], statements: [], reason: waiting.reason, userId: null, retryAt }
    : { ...decided(change, ticket, waiting), statements: [], retryAt };
}

/** The team that a person chose when the ticket was last routed: no rule led there. */
function chosenBefore({ teamId, routingRuleId }: Routable): string | null {
  return routingRuleId === null ? teamId : null;
}

/** A rule for the team that a person chose, which shares out as the first rule that names the team does. */
function ruleOfChoice(rules: readonly AssignmentRule[], teamId: string): AssignmentRule {
  const strategy = rules.find((rule) => rule.teamId === teamId)?.strategy ?? 'least_loaded';
  return { id: teamId, version: 1, name: 'chosen by a person', position: 0, when: 'true', teamId, strategy };
}

/** No rule led to this team, so that none is kept. */
function byChoice({ name }: TeamLoad): Pick<Assignment, 'ruleId' | 'ruleVersion' | 'rulesTried' | 'reason'> {
  return { ruleId: null, ruleVersion: null, rulesTried: [], reason: `team "${name}" was chosen by a person` };
}

function assigned(change: Change, ticket: Routable, decision: Assignment & { userId: string }): Routed {
  const { turn } = decision;
  return {
    ...decided(change, ticket, decision),
    statements: turn ? [turnTaken(change.organizationId, turn)] : [],
    retryAt: null,
  };
}

/** Whether the queue has the ticket already, for the same team and by the rules that hold now: free places go by them. */
async function waitsAsBefore(
  em: EntityManager,
  { subjectId }: Change,
  ticket: Routable,
  { teamId, ruleId, rulesTried }: Assignment,
): Promise<boolean> {
  if (ticket.stage !== 'queued' || ticket.teamId !== teamId || ticket.routingRuleId !== ruleId) return false;
  const before = await readMatchedRules(em, subjectId, ticket.round);
  const now = rulesTried.filter(({ matched }) => matched).map((tried) => tried.ruleId);
  return isDeepStrictEqual(before.toSorted(), now.toSorted());
}

function decided(
  change: Change,
  ticket: Routable,
  decision: Assignment,
): Pick<Routed, 'values' | 'rows' | 'reason' | 'userId'> {
  const { userId, teamId, ruleId, ruleVersion } = decision;
  const round = ticket.round + 1;
  const rule = { routingRuleId: ruleId, routingRuleVersion: ruleVersion };
  const row = { ...decisionRow(change, round, decision), ticketId: change.subjectId, ...rule };
  const before = ticket.assignedUserId;
  const freed = before === null || before === userId ? [] : [capacityFreed(change, before)];
  return {
    values: {
      stage: userId === null ? 'queued' : 'assigned',
      assignedUserId: userId,
      assignedAt: userId === null ? null : change.at,
      teamId,
      ...rule,
      round,
    },
    rows: [{ into: TicketAssignment, rows: [row] }, ...freed],
    reason: row.reason,
    userId,
  };
}
