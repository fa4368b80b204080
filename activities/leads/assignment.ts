import type { EntityManager } from '@mikro-orm/postgresql';
import type { IntakeContext } from '../../db/leads/intake.queries.ts';
import { decideAssignment, inQuestion } from '../../db/leads/decisions.ts';
import { firstStep, type NextStep, planNext } from '../../db/leads/ladder.queries.ts';
import { LeadAssignment } from '../../db/leads/lead-assignment.ts';
import type { LeadRow } from '../../db/leads/lead-state.queries.ts';
import { decisionRow } from '../../db/assignment/decision.ts';
import { calendarAmong, lockAssignment, readTeams, turnTaken } from '../../db/assignment/teams.queries.ts';
import type { Change } from '../../db/model/changes.ts';
import { Problem } from '../../db/model/problem.ts';
import type { Insertion, Statement } from '../../db/model/set-based.ts';
import type { Assignment } from '../../workflows/assignment/assignment.ts';
import type { LeadFacts } from '../../workflows/leads/facts.ts';

/** Who gets a lead in which round, and the rows that keep the decision. */
export interface Assigned {
  values: {
    assignedUserId: string;
    assignedAt: Date;
    teamId: string | null;
    assignmentRuleId: string | null;
    assignmentRuleVersion: number | null;
    round: number;
  } & NextStep;
  rows: Insertion[];
  statements: Statement[];
  /** One sentence, for the timeline and the explanation. */
  reason: string;
}

interface Question {
  facts: LeadFacts;
  context: Pick<IntakeContext, 'rules' | 'account' | 'organization'>;
  excludeUserIds: string[];
  round: number;
}

/**
 * Decides who gets a lead, under the organisation's assignment lock: the load and the turns that are read hold until
 * the transaction ends. Null when nobody can get it, not even a fallback who has not had it.
 */
export async function assign(
  em: EntityManager,
  change: Change,
  { facts, context, excludeUserIds, round }: Question,
): Promise<Assigned | null> {
  const { organizationId, at } = change;
  await lockAssignment(em, organizationId);
  const { teams, calendars } = await readTeams(em, 'lead', organizationId, inQuestion(context, facts), at);
  const decision = decideAssignment(facts, context, teams, excludeUserIds, at);
  const { userId, ruleId } = decision;
  if (userId === null || excludeUserIds.includes(userId)) return null;
  const ladder = context.rules.find(({ id }) => id === ruleId)?.ladder ?? null;
  const calendar = await calendarAmong(em, calendars, userId);
  return decided(change, round, { ...decision, userId }, firstStep(ladder, calendar, round, at));
}

/**
 * The rows of a decision that a person took: the assignee they named, chased by the ladder that was in force. Problem
 * `rule_violation` for somebody who is not active in the organisation.
 */
export async function assignTo(em: EntityManager, change: Change, lead: LeadRow, userId: string): Promise<Assigned> {
  await lockAssignment(em, change.organizationId);
  const user = await readUser(em, change.organizationId, userId);
  if (!user?.active) {
    const message = user ? 'is not active' : 'is not a user of this organisation';
    throw new Problem('rule_violation', 'The lead cannot be given to this user; see errors.', [
      { path: 'userId', message },
    ]);
  }
  const [seat]: { team_id: string }[] = await em.execute(
    `select team_id from crm_core.crm_team_members
     where organization_id = ? and user_id = ? and deleted_at is null
     order by (team_id is not distinct from ?) desc, created_at, team_id limit 1`,
    [change.organizationId, userId, lead.teamId],
  );
  const teamId = seat?.team_id ?? null;
  const round = lead.round + 1;
  const reason = 'given by a person';
  const decision = {
    userId,
    teamId,
    ruleId: null,
    ruleVersion: null,
    reason,
    turn: null,
    overCapacity: false,
    candidates: [{ userId, teamId, outcome: 'chosen' as const, code: 'chosen' as const, reason }],
    rulesTried: [],
  };
  const next = await planNext(em, { ...lead, stage: 'assigned', round, assignedUserId: userId, assignedAt: change.at });
  const assigned = decided(change, round, decision, next);
  const { assignmentRuleId, assignmentRuleVersion } = lead;
  return { ...assigned, values: { ...assigned.values, assignmentRuleId, assignmentRuleVersion } };
}

/** Whether a user of the organisation is active; null when there is no such user. */
export async function readUser(
  em: EntityManager,
  organizationId: string,
  userId: string,
): Promise<{ active: boolean } | null> {
  const [user]: { active: boolean }[] = await em.execute(
    'select active from crm_core.crm_users where organization_id = ? and user_id = ? and deleted_at is null',
    [organizationId, userId],
  );
  return user ?? null;
}

function decided(change: Change, round: number, decision: Assignment & { userId: string }, next: NextStep): Assigned {
  const { userId: assignedUserId, teamId, ruleId, ruleVersion, turn } = decision;
  const rule = { assignmentRuleId: ruleId, assignmentRuleVersion: ruleVersion };
  const row = { ...decisionRow(change, round, decision), leadId: change.subjectId, ...rule };
  return {
    values: { assignedUserId, assignedAt: change.at, teamId, ...rule, round, ...next },
    rows: [{ into: LeadAssignment, rows: [row] }],
    statements: turn ? [turnTaken(change.organizationId, turn)] : [],
    reason: decision.reason,
  };
}
