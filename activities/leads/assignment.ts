import { isDeepStrictEqual } from 'node:util';
import type { EntityManager } from '@mikro-orm/postgresql';
import { isSuspended } from '../../db/access/membership.queries.ts';
import type { IntakeContext } from '../../db/leads/intake.queries.ts';
import { decideAssignment, inQuestion } from '../../db/leads/decisions.ts';
import { firstStep, type NextStep, ownerlessStep, planNext } from '../../db/leads/ladder.queries.ts';
import { LeadAssignment } from '../../db/leads/lead-assignment.ts';
import type { LeadRow } from '../../db/leads/lead-state.queries.ts';
import { decisionRow } from '../../db/assignment/decision.ts';
import {
  calendarAmong,
  lockAssignment,
  readTeams,
  type TeamLoad,
  turnTaken,
} from '../../db/assignment/teams.queries.ts';
import type { Change } from '../../db/model/changes.ts';
import { Problem } from '../../db/model/problem.ts';
import type { Insertion, Statement } from '../../db/model/set-based.ts';
import type { Assignment } from '../../workflows/assignment/assignment.ts';
import type { LeadFacts } from '../../workflows/leads/facts.ts';
import type { Told } from './lead-change.ts';

/** Who gets a lead in which round, and the rows that keep the decision. */
export interface Assigned {
  values: Pick<
    LeadRow,
    'assignedUserId' | 'assignedAt' | 'teamId' | 'assignmentRuleId' | 'assignmentRuleVersion' | 'round'
  > &
    NextStep & { stage: 'assigned' | 'scored' };
  /** None when the same decision is kept already: the lead waits as it did. */
  rows: Insertion[];
  statements: Statement[];
  /** For the timeline. */
  told: Told;
}

interface Question {
  facts: LeadFacts;
  context: Pick<IntakeContext, 'rules' | 'account' | 'organization'>;
  excludeUserIds: readonly string[];
  round: number;
}

/**
 * Decides who gets a lead, under the organisation's assignment lock: the load and the turns that are read hold until
 * the transaction ends. When nobody can be given it, the lead has no owner, and waits until it is looked at again.
 */
export async function assign(
  em: EntityManager,
  change: Change,
  { facts, context, excludeUserIds, round }: Question,
): Promise<Assigned> {
  const { organizationId, at } = change;
  await lockAssignment(em, organizationId);
  const { teams, calendars } = await readTeams(em, 'lead', organizationId, inQuestion(context, facts), at);
  const decision = decideAssignment(facts, context, teams, [...excludeUserIds], at);
  const { userId, ruleId } = decision;
  if (userId === null) return waiting(em, change, round, decision, teams);
  const ladder = context.rules.find(({ id }) => id === ruleId)?.ladder ?? null;
  const calendar = await calendarAmong(em, calendars, userId);
  return decided(change, round, decision, firstStep(ladder, calendar, round, at));
}

/** Nobody can be given the lead: that is kept like any decision, unless the latest one says the same. */
async function waiting(
  em: EntityManager,
  change: Change,
  round: number,
  decision: Assignment,
  teams: readonly TeamLoad[],
): Promise<Assigned> {
  const found = decided(change, round, decision, ownerlessStep(change.at, teams));
  const { candidates, rulesTried } = decision;
  const isKnown = isDeepStrictEqual(await latestWaiting(em, change), { candidates, rulesTried });
  return { ...found, rows: isKnown ? [] : found.rows };
}

/** What the latest decision on a lead says, if it found nobody. */
async function latestWaiting(
  em: EntityManager,
  { organizationId, subjectId }: Change,
): Promise<Pick<Assignment, 'candidates' | 'rulesTried'> | null> {
  const [latest]: ({ userId: string | null } & Pick<Assignment, 'candidates' | 'rulesTried'>)[] = await em.execute(
    `select user_id as "userId", candidates, rules_tried as "rulesTried" from crm_core.crm_lead_assignments
     where organization_id = ? and lead_id = ? and deleted_at is null
     order by decided_at desc, lead_assignment_id desc limit 1`,
    [organizationId, subjectId],
  );
  if (!latest || latest.userId !== null) return null;
  return { candidates: latest.candidates, rulesTried: latest.rulesTried };
}

/**
 * The rows of a decision that a person took: the assignee they named, chased by the ladder that was in force. Problem
 * `rule_violation` for somebody who is not active in the organisation.
 */
export async function assignTo(em: EntityManager, change: Change, lead: LeadRow, userId: string): Promise<Assigned> {
  await lockAssignment(em, change.organizationId);
  const message = await hindranceTo(em, change.organizationId, userId);
  if (message !== null)
    throw new Problem('rule_violation', 'The lead cannot be given to this user; see errors.', [
      { path: 'userId', message },
    ]);
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

/** Why nobody can give a lead to this user; null: they can. */
export async function hindranceTo(em: EntityManager, organizationId: string, userId: string): Promise<string | null> {
  const user = await readUser(em, organizationId, userId);
  if (!user) return 'is not a user of this organisation';
  if (!user.active) return 'is not active';
  return user.suspended ? 'is suspended' : null;
}

/** Whether a user of the organisation is active, and whether they are let in; null when there is no such user. */
export async function readUser(
  em: EntityManager,
  organizationId: string,
  userId: string,
): Promise<{ active: boolean; suspended: boolean } | null> {
  const [user]: { active: boolean; suspended: boolean }[] = await em.execute(
    `select active, ${isSuspended('u')} as suspended from crm_core.crm_users u
     where organization_id = ? and user_id = ? and deleted_at is null`,
    [organizationId, userId],
  );
  return user ?? null;
}

function decided(change: Change, round: number, decision: Assignment, next: NextStep): Assigned {
  const { userId, teamId, ruleId, ruleVersion, turn, reason } = decision;
  const rule = { assignmentRuleId: ruleId, assignmentRuleVersion: ruleVersion };
  const row = { ...decisionRow(change, round, decision), leadId: change.subjectId, ...rule };
  const isGiven = userId !== null;
  const given = {
    stage: isGiven ? ('assigned' as const) : ('scored' as const),
    assignedUserId: userId,
    assignedAt: isGiven ? change.at : null,
    // Who is waited for begins no round.
    round: isGiven ? round : round - 1,
  };
  return {
    values: { ...given, teamId, ...rule, ...next },
    rows: [{ into: LeadAssignment, rows: [row] }],
    statements: turn ? [turnTaken(change.organizationId, turn)] : [],
    told: isGiven
      ? { kind: 'lead.assigned', summary: reason, details: { userId, round } }
      : { kind: 'lead.waiting', summary: `nobody can be given it: ${reason}` },
  };
}
