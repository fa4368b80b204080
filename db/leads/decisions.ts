import { chooseAssignee, type Assignment } from '../../workflows/assignment/assignment.ts';
import { leadConditions } from '../../workflows/leads/conditions.ts';
import { type Comparable, type Comparison, compareWithCandidate } from '../../workflows/leads/duplicates.ts';
import { type EmailStatus, type FactSource, leadFacts, type LeadFacts } from '../../workflows/leads/facts.ts';
import { type Contribution, type Engagement, scoreLead } from '../../workflows/leads/scoring.ts';
import type { DuplicateCandidate } from './duplicates.queries.ts';
import type { IntakeContext } from './intake.queries.ts';
import type { TeamLoad } from '../assignment/teams.queries.ts';

/** A duplicate that was looked at: which lead, how alike, and why. */
export interface ComparedDuplicate extends Comparison {
  leadId: string;
  /** The lead merged into it that is alike. */
  throughLeadId?: string;
}

/**
 * Compares an intake with the open leads that may be the same person; of those that are exactly, the first candidate
 * survives. A lead is as alike as the most alike of itself and what was merged into it.
 */
export function compareDuplicates(
  intake: Comparable,
  candidates: readonly DuplicateCandidate[],
): { duplicates: ComparedDuplicate[]; exact: DuplicateCandidate[] } {
  const closest = new Map<string, { candidate: DuplicateCandidate; comparison: Comparison }>();
  for (const candidate of candidates) {
    const comparison = compareWithCandidate(intake, candidate);
    const known = closest.get(candidate.id);
    if (!known || known.comparison.confidence < comparison.confidence)
      closest.set(candidate.id, { candidate, comparison });
  }
  const compared = [...closest.values()];
  return {
    duplicates: compared
      .filter(({ comparison }) => comparison.verdict !== 'none')
      .map(({ candidate: { id, throughLeadId }, comparison }) => ({
        leadId: id,
        ...(throughLeadId !== null && { throughLeadId }),
        ...comparison,
      })),
    exact: compared.filter(({ comparison }) => comparison.verdict === 'exact').map(({ candidate }) => candidate),
  };
}

/** A score by the scoring model in force; without a model every lead is 0 and has no band. */
export interface ModelScore {
  score: number;
  band: 'cold' | 'warm' | 'hot' | null;
  contributions: Contribution[];
  scoringModelId: string | null;
  scoringModelVersion: number | null;
}

interface Circumstances {
  lead: FactSource;
  context: Pick<IntakeContext, 'account' | 'model'>;
  emailStatus: EmailStatus;
  engagements: readonly Engagement[];
  /** As the lead counts them: touches, and further captures. */
  engagementCount: number;
  capturedAt: Date;
  at: Date;
}

const dayMs = 86_400_000;

/** Scores a lead, and gives the facts with the score in them, as assignment rules see them. */
export function scoreByModel({
  lead,
  context,
  emailStatus,
  engagements,
  engagementCount,
  capturedAt,
  at,
}: Circumstances): { modelScore: ModelScore; facts: LeadFacts } {
  const { model, account } = context;
  const known = {
    account,
    emailStatus,
    ageDays: Math.max(0, Math.floor((at.getTime() - capturedAt.getTime()) / dayMs)),
    engagementCount,
  };
  if (!model) {
    const modelScore = { score: 0, band: null, contributions: [], scoringModelId: null, scoringModelVersion: null };
    return { modelScore, facts: leadFacts(lead, known) };
  }
  const result = scoreLead(model, leadFacts(lead, known), engagements, at);
  const modelScore = { ...result, scoringModelId: model.id, scoringModelVersion: model.version };
  return { modelScore, facts: leadFacts(lead, { ...known, score: result.score, band: result.band }) };
}

/** Who could get a lead: the teams of all rules that hold, and the owner of its account. */
export function inQuestion(
  { rules, account }: Pick<IntakeContext, 'rules' | 'account'>,
  facts: LeadFacts,
): { teamIds: string[]; userIds: string[] } {
  const matching = rules.filter(({ when }) => leadConditions.test(when, facts).matched);
  const ownerUserId = account?.ownerUserId ?? null;
  return {
    teamIds: [...new Set(matching.map(({ teamId }) => teamId))],
    userIds: ownerUserId === null ? [] : [ownerUserId],
  };
}

/**
 * Chooses who gets the lead, with every candidate explained. One that nobody can be given waits for the team of the first
 * rule that held.
 */
export function decideAssignment(
  facts: LeadFacts,
  { rules, account, organization }: Pick<IntakeContext, 'rules' | 'account' | 'organization'>,
  teams: TeamLoad[],
  excludeUserIds: string[],
  at: Date,
): Assignment {
  const decision = chooseAssignee(leadConditions, {
    facts,
    requiredSkills: [],
    rules,
    teams,
    accountOwnerId: account?.ownerUserId ?? null,
    fallbackUserId: organization.fallbackUserId,
    excludeUserIds,
    at: at.toISOString(),
  });
  if (decision.userId !== null) return decision;
  const held = decision.rulesTried.find(({ matched }) => matched);
  const rule = rules.find(({ id }) => id === held?.ruleId);
  return {
    ...decision,
    teamId: rule?.teamId ?? null,
    ruleId: rule?.id ?? null,
    ruleVersion: rule?.version ?? null,
  };
}
