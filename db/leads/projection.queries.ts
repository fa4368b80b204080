import type { NormalisationStep, NormalisedIntake } from '../../workflows/leads/normalisation.ts';
import type { Actor } from '../access/actor.ts';
import { type Database, inOrganization } from '../database.ts';
import { readIntakeContext } from './intake.queries.ts';
import { decideAssignment, compareDuplicates, scoreByModel, inQuestion } from './decisions.ts';
import { firstStep } from './ladder.queries.ts';
import { calendarAmong, readTeams } from '../assignment/teams.queries.ts';

/** No lead has it: the dry run has no lead of its own to leave out. */
const noLead = '00000000-0000-0000-0000-000000000000';

/** The decision on a capture as it would be made now, with its explanation; nothing is written and no turn is used up. */
export async function projectRoute(
  database: Database,
  { organizationId }: Actor,
  { intake, steps }: { intake: NormalisedIntake; steps: NormalisationStep[] },
  at: Date,
): Promise<Record<string, unknown>> {
  return inOrganization(database, organizationId, async (em) => {
    const context = await readIntakeContext(em, organizationId, noLead, intake);
    const { duplicates, exact } = compareDuplicates(intake, context.candidates);
    const [survivor] = exact;
    if (survivor)
      return { outcome: 'merged', mergedIntoLeadId: survivor.id, explanation: { normalization: steps, duplicates } };
    const { modelScore, facts } = scoreByModel({
      lead: intake,
      context,
      emailStatus: context.person?.emailStatus ?? 'unknown',
      engagements: [],
      engagementCount: 0,
      capturedAt: at,
      at,
    });
    const { teams, calendars } = await readTeams(em, 'lead', organizationId, inQuestion(context, facts), at);
    const assignment = decideAssignment(facts, context, teams, [], at);
    const { userId, teamId, ruleId } = assignment;
    const ladder = context.rules.find(({ id }) => id === ruleId)?.ladder ?? null;
    const calendar = userId === null ? null : await calendarAmong(em, calendars, userId);
    const next = userId === null ? null : firstStep(ladder, calendar, 1, at);
    return {
      outcome: userId === null ? 'scored' : 'assigned',
      score: modelScore.score,
      band: modelScore.band,
      assignedUserId: userId,
      teamId,
      nextStep: next?.nextStep ?? null,
      nextDueAt: next?.nextDueAt?.toISOString() ?? null,
      explanation: { normalization: steps, duplicates, facts, score: modelScore, assignment },
    };
  });
}
