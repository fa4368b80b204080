import { type AssignmentInput, chooseAssignee } from '../../../workflows/assignment/assignment.ts';
import { type AssignmentRule } from '../../../workflows/assignment/rules.ts';
import { leadConditions } from '../../../workflows/leads/conditions.ts';
import { leadFacts, type LeadFacts } from '../../../workflows/leads/facts.ts';
import { type Team, type TeamMember } from '../../../workflows/assignment/team-choice.ts';

/** The instant of every decision. */
export const at = '2026-11-20T10:00:00.000Z';
/** When those who are not at work now begin. */
export const tomorrow = '2026-11-21T08:00:00.000Z';
/** What is known of the lead that is given to somebody. */
export const facts = leadFacts(
  {
    source: 'website',
    country: 'DE',
    budgetBand: null,
    urgency: null,
    company: null,
    email: 'ada@acme.example',
    phone: null,
    consent: null,
    utm: null,
  },
  { emailStatus: 'accepts', score: 55, band: 'warm', ageDays: 0, engagementCount: 0 },
);

/** Somebody with room, at work. */
export function member(userId: string, overrides: Partial<TeamMember> = {}): TeamMember {
  return {
    userId,
    position: 0,
    active: true,
    suspended: false,
    skills: [],
    capacity: 10,
    openCount: 0,
    dailyQuota: null,
    assignedToday: 0,
    weight: 1,
    outOfOffice: null,
    opensAt: at,
    lastTurn: null,
    weightedTurns: 0,
    ...overrides,
  };
}

/** A team of these. */
export function team(members: TeamMember[], overrides: Partial<Team> = {}): Team {
  return { id: 'team-1', name: 'Inbound', fallbackUserId: null, members, ...overrides };
}

/** A rule that holds for everything. */
export function rule(overrides: Partial<AssignmentRule> = {}): AssignmentRule {
  return {
    id: 'rule-1',
    version: 3,
    name: 'Everyone',
    position: 1,
    when: 'true',
    teamId: 'team-1',
    strategy: 'round_robin',
    ...overrides,
  };
}

/** Who gets the lead among these members. */
export function decide(members: TeamMember[], overrides: Partial<AssignmentInput<LeadFacts>> = {}) {
  return chooseAssignee(leadConditions, {
    facts,
    requiredSkills: [],
    rules: [rule()],
    teams: [team(members)],
    accountOwnerId: null,
    fallbackUserId: 'director',
    excludeUserIds: [],
    at,
    ...overrides,
  });
}

/** What was said of each candidate. */
export const codes = (assignment: { candidates: { userId: string; code: string }[] }) =>
  Object.fromEntries(assignment.candidates.map(({ userId, code }) => [userId, code]));

/** An absence that has begun. */
export const away = (delegateUserId: string | null, until: string | null = '2026-12-01T00:00:00.000Z') => ({
  from: '2026-11-16T00:00:00.000Z',
  until,
  delegateUserId,
});
