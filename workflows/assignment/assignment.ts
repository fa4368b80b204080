import type { Conditions } from '../conditions/conditions.ts';
import { type AssignmentRule, inOrder } from './rules.ts';
import {
  type Candidate,
  chooseInTeam,
  type Circumstances,
  obstacleOf,
  seatOf,
  type Team,
  type TeamMember,
} from './team-choice.ts';

/** Everything a decision is made of, as plain data. `teams` are all teams of the organisation that take such work. */
export interface AssignmentInput<F> {
  facts: F;
  /** What whoever gets it must be able to do; empty: anybody can. */
  requiredSkills: readonly string[];
  rules: AssignmentRule[];
  teams: Team[];
  /** Owner of the account that it belongs to. */
  accountOwnerId: string | null;
  /** The organisation's last resort. */
  fallbackUserId: string | null;
  /** Whoever must not get it: those who had it, or have it and are to lose it. */
  excludeUserIds: string[];
  /** UTC instant of the decision, ISO 8601. */
  at: string;
}

/** Who gets it, with everybody and every rule that was considered. */
export interface Assignment {
  /** Null only when there is neither a member with room nor a fallback who has not had it. */
  userId: string | null;
  teamId: string | null;
  ruleId: string | null;
  ruleVersion: number | null;
  reason: string;
  /** The place in a team whose turn this was, and its weighted turns with this one; null when no turn was used up. */
  turn: { teamId: string; userId: string; weightedTurns: number } | null;
  /** It went to a fallback although nobody had room. */
  overCapacity: boolean;
  candidates: Candidate[];
  rulesTried: { ruleId: string; matched: boolean; reason: string }[];
}

/** What keeps a fallback from it; being full does not. */
const unfit = ['inactive', 'suspended', 'out_of_office', 'previous_owner', 'lacks_skill'];

/**
 * Decides who gets a lead or a ticket (DOMAIN, processes 1 and 6): the owner of its account if they have room, whatever
 * the hour; else by the first rule that holds the next member of its team, or its fallback. A team that has neither leaves
 * it to the rules after it, and in the end to the organisation's fallback. Pure: same input, same decision.
 */
export function chooseAssignee<F>(conditions: Conditions<F>, input: AssignmentInput<F>): Assignment {
  const everybody = new Map<string, TeamMember>();
  for (const member of input.teams.flatMap((team) => team.members)) {
    if (!everybody.has(member.userId)) everybody.set(member.userId, member);
  }
  const { at, excludeUserIds, requiredSkills } = input;
  const { subject } = conditions;
  const circumstances: Circumstances = { subject, at, excludeUserIds, requiredSkills, everybody };
  const teamOf = (userId: string) =>
    input.teams.find((team) => team.members.some((member) => member.userId === userId))?.id ?? null;
  const rulesTried: Assignment['rulesTried'] = [];
  let candidates: Candidate[] = [];

  function decided(choice: Pick<Assignment, 'userId' | 'teamId' | 'reason'> & Partial<Assignment>): Assignment {
    return { ruleId: null, ruleVersion: null, turn: null, overCapacity: false, candidates, rulesTried, ...choice };
  }

  /** Adds explanations; a person who is chosen after all, or passed over again in the same team, is told of once. */
  function explain(...explanations: Candidate[]) {
    const isReplaced = (old: Candidate) =>
      explanations.some((now) => now.userId === old.userId && (now.outcome === 'chosen' || now.teamId === old.teamId));
    candidates = [...candidates.filter((old) => !isReplaced(old)), ...explanations];
  }

  function toAccountOwner(userId: string): Assignment | null {
    const owner = everybody.get(userId);
    const { seat, obstacle } = owner
      ? seatOf(owner, circumstances)
      : {
          seat: null,
          obstacle: {
            code: 'not_in_a_team' as const,
            reason: `owns the account, but is in no team that takes ${subject}s`,
          },
        };
    if (obstacle) explain({ userId, teamId: teamOf(userId), outcome: 'passed_over', ...obstacle });
    if (!seat) return null;
    const chosen = { userId: seat.holder.userId, teamId: teamOf(seat.holder.userId) };
    const reason = seat.holder === owner ? 'owns the account' : 'stands in for the owner of the account';
    explain({ ...chosen, outcome: 'chosen', code: 'chosen', reason });
    return decided({ ...chosen, reason });
  }

  function byRule(rule: AssignmentRule, team: Team): Assignment | null {
    const because = { teamId: team.id, ruleId: rule.id, ruleVersion: rule.version };
    const choice = chooseInTeam(team, rule.strategy, circumstances);
    explain(...choice.candidates);
    if (choice.seat) {
      const reason = `rule "${rule.name}", team "${team.name}" by ${rule.strategy}`;
      const { member, holder } = choice.seat;
      const turn = { teamId: team.id, userId: member.userId, weightedTurns: member.weightedTurns + 1 / member.weight };
      return decided({ ...because, userId: holder.userId, reason, turn });
    }
    if (team.fallbackUserId === null || !canTake(team.fallbackUserId)) return null;
    const reason = `rule "${rule.name}", fallback of team "${team.name}": nobody there has room`;
    explain({
      userId: team.fallbackUserId,
      teamId: team.id,
      outcome: 'chosen',
      code: 'chosen',
      reason: 'is the fallback of the team',
    });
    return decided({ ...because, userId: team.fallbackUserId, reason, overCapacity: true });
  }

  /** Whether a fallback can take it, full or not. One outside all teams is taken to be there, but to have no skill. */
  function canTake(userId: string): boolean {
    const member = everybody.get(userId);
    const code = member
      ? obstacleOf(member, circumstances)?.code
      : (excludeUserIds.includes(userId) && 'previous_owner') || (requiredSkills.length > 0 && 'lacks_skill');
    return !unfit.some((obstacle) => obstacle === code);
  }

  const owned = input.accountOwnerId === null ? null : toAccountOwner(input.accountOwnerId);
  if (owned) return owned;

  for (const rule of inOrder(input.rules)) {
    const { matched, reason } = conditions.test(rule.when, input.facts);
    const team = input.teams.find(({ id }) => id === rule.teamId);
    const assignment = matched && team ? byRule(rule, team) : null;
    const outcome = !matched || assignment ? '' : team ? '; nobody in its team has room' : '; its team does not exist';
    rulesTried.push({ ruleId: rule.id, matched, reason: `${reason}${outcome}` });
    if (assignment) return assignment;
  }

  const nobodyHadRoom = rulesTried.some(({ matched }) => matched);
  const why = nobodyHadRoom ? 'nobody in a matching team has room' : 'no rule matches';
  if (input.fallbackUserId === null)
    return decided({ userId: null, teamId: null, reason: `${why}, and there is no fallback` });
  const chosen = { userId: input.fallbackUserId, teamId: teamOf(input.fallbackUserId) };
  if (excludeUserIds.includes(chosen.userId)) {
    const had = `has had this ${subject}, which is to go to somebody else`;
    explain({ ...chosen, outcome: 'passed_over', code: 'previous_owner', reason: had });
    return decided({ userId: null, teamId: null, reason: `${why}, and the fallback of the organisation ${had}` });
  }
  explain({ ...chosen, outcome: 'chosen', code: 'chosen', reason: 'is the fallback of the organisation' });
  return decided({ ...chosen, reason: `fallback of the organisation: ${why}`, overCapacity: nobodyHadRoom });
}
