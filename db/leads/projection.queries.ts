import type { EntityManager } from '@mikro-orm/postgresql';
import type { EmailStatus } from '../../workflows/leads/facts.ts';
import type { NormalisationStep, NormalisedIntake } from '../../workflows/leads/normalisation.ts';
import type { Actor } from '../access/actor.ts';
import { type Database, inOrganization } from '../database.ts';
import { type IntakeContext, type KnownPerson, readIntakeContext } from './intake.queries.ts';
import { decideAssignment, compareDuplicates, scoreByModel, inQuestion } from './decisions.ts';
import { firstStep, ownerlessStep } from './ladder.queries.ts';
import { calendarAmong, readTeams } from '../assignment/teams.queries.ts';

/** No lead has it: the dry run has no lead of its own to leave out. */
const noLead = '00000000-0000-0000-0000-000000000000';

/**
 * What the decision goes by of the look-up of a mail, which a dry run does not make: what an earlier one said of the same
 * mail, for the person or one of their leads; else it is assumed to be unknown. A capture looks it up, and may be scored
 * and assigned differently then.
 */
async function presumedStatus(
  em: EntityManager,
  organizationId: string,
  { email }: NormalisedIntake,
  { person }: Pick<IntakeContext, 'person'>,
): Promise<{ emailStatus: EmailStatus; emailStatusFrom: 'no_mail' | 'earlier_look_up' | 'assumed' }> {
  if (email === null) return { emailStatus: 'unknown', emailStatusFrom: 'no_mail' };
  const known = person && (await earlierStatus(em, organizationId, email, person));
  if (known) return { emailStatus: known, emailStatusFrom: 'earlier_look_up' };
  return { emailStatus: 'unknown', emailStatusFrom: 'assumed' };
}

async function earlierStatus(
  em: EntityManager,
  organizationId: string,
  email: string,
  { id, primaryEmail, emailStatus }: KnownPerson,
): Promise<EmailStatus | null> {
  if (primaryEmail === email && emailStatus !== 'unknown') return emailStatus;
  const [latest]: { email_status: EmailStatus }[] = await em.execute(
    `select email_status from crm_core.crm_leads
     where organization_id = ? and person_id = ? and email = ? and email_status <> 'unknown' and deleted_at is null
     order by captured_at desc limit 1`,
    [organizationId, id, email],
  );
  return latest?.email_status ?? null;
}

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
    const { emailStatus, emailStatusFrom } = await presumedStatus(em, organizationId, intake, context);
    const { modelScore, facts } = scoreByModel({
      lead: intake,
      context,
      emailStatus,
      engagements: [],
      engagementCount: 0,
      capturedAt: at,
      at,
    });
    const { teams, calendars } = await readTeams(em, 'lead', organizationId, inQuestion(context, facts), at);
    const assignment = decideAssignment(facts, context, teams, [], at);
    const { userId, teamId, ruleId } = assignment;
    const ladder = context.rules.find(({ id }) => id === ruleId)?.ladder ?? null;
    const next =
      userId === null ? ownerlessStep(at, teams) : firstStep(ladder, await calendarAmong(em, calendars, userId), 1, at);
    return {
      outcome: userId === null ? 'scored' : 'assigned',
      emailStatus,
      emailStatusFrom,
      score: modelScore.score,
      band: modelScore.band,
      assignedUserId: userId,
      teamId,
      nextStep: next.nextStep,
      nextDueAt: next.nextDueAt?.toISOString() ?? null,
      explanation: { normalization: steps, duplicates, facts, score: modelScore, assignment },
    };
  });
}
