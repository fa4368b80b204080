import type { EntityManager } from '@mikro-orm/postgresql';
import { answerStatement } from '../../db/automation/answers.queries.ts';
import { type Capture, type IntakeContext, readIntakeContext } from '../../db/leads/intake.queries.ts';
import { compareDuplicates, type ComparedDuplicate, scoreByModel } from '../../db/leads/decisions.ts';
import { answerJson, findLead, findPerson, type LeadRow, lockSurvivor } from '../../db/leads/lead-state.queries.ts';
import { Lead } from '../../db/leads/lead.ts';
import { type Change, timelineRow } from '../../db/model/changes.ts';
import { gather, insertRows } from '../../db/model/set-based.ts';
import type { EmailStatus } from '../../workflows/leads/facts.ts';
import type { LeadStage } from '../../workflows/leads/policy.ts';
import { assign } from './assignment.ts';
import { capturedEntry, capturedLead, externalRefs } from './captured.ts';
import { duplicateFlags } from './duplicate-flags.ts';
import { toldEntry } from './lead-change.ts';
import { absorb, mergeRow, missing, withoutClaimed } from './merging.ts';
import { tellOfDecision } from './notifications.ts';
import { completePerson, newPerson } from './people.ts';
import { scoreRow } from './rescoring.ts';

/** A captured lead before anything was decided on it. */
interface Captured {
  change: Change;
  capture: Capture;
  context: IntakeContext;
  lead: LeadRow;
  duplicates: ComparedDuplicate[];
}

/**
 * The whole decision on a captured lead in the transaction that locked its capture: duplicates, score, assignment, rows,
 * audit trail, notification, answer. Keyed on the lead: a second call finds the row and changes nothing.
 */
export async function decide(
  em: EntityManager,
  capture: Capture,
  emailStatus: EmailStatus,
  at: Date,
): Promise<LeadRow> {
  const { organizationId, leadId, actor, commandId, intake } = capture;
  const context = await readIntakeContext(em, organizationId, leadId, intake);
  const present = context.isDecided ? await findLead(em, leadId) : null;
  if (present) return present;
  const change: Change = { organizationId, actor, at, subjectType: 'lead', subjectId: leadId, commandId };
  const { duplicates, exact } = compareDuplicates(intake, context.candidates);
  const captured: Captured = {
    change,
    capture,
    context,
    lead: capturedLead(change, capture, context, duplicates, emailStatus),
    duplicates,
  };
  for (const candidate of exact) {
    // By the time that it is locked it may have been merged itself: this capture goes where it went.
    const survivor = await lockSurvivor(em, candidate.id);
    if (survivor?.status === 'open' && survivor.deletedAt === null)
      return mergeInto(em, captured, survivor, candidate.id);
  }
  return scoreAndAssign(em, captured);
}

async function scoreAndAssign(
  em: EntityManager,
  { change, capture, context, lead: captured, duplicates }: Captured,
): Promise<LeadRow> {
  const { intake, receivedAt } = capture;
  const { emailStatus } = captured;
  const { modelScore, facts } = scoreByModel({
    lead: intake,
    context,
    emailStatus,
    engagements: [],
    engagementCount: 0,
    capturedAt: receivedAt,
    at: change.at,
  });
  const { contributions: _, ...score } = modelScore;
  const known = context.person && (await completePerson(em, change, context.person, intake, emailStatus));
  const assigned = await assign(em, change, { facts, context, excludeUserIds: [], round: 1 });
  const lead: LeadRow = { ...captured, ...score, ...assigned.values };
  const person = known ?? {
    id: lead.personId,
    fullName: intake.fullName,
    primaryEmail: intake.email,
    primaryPhone: intake.phone,
    emailStatus,
  };
  await insertRows(
    em,
    gather([
      ...(known ? [] : [newPerson(change, lead.personId, intake, emailStatus)]),
      { into: Lead, rows: [lead as unknown as Record<string, unknown>] },
      scoreRow(change, modelScore, 'captured'),
      ...assigned.rows,
      ...externalRefs(change, intake),
      capturedEntry(change, capture),
      timelineRow(change, 'lead.scored', `scored ${lead.score}${lead.band ? ` (${lead.band})` : ''}`),
      ...duplicateFlags(change, lead, duplicates),
      toldEntry(change, assigned.told),
      ...(await tellOfDecision(em, change, lead)),
    ]),
    [
      ...assigned.statements,
      answerStatement(capture.organizationId, capture.commandId, 201, answerJson(capture.actor, lead, person)),
    ],
  );
  return lead;
}

/**
 * The captured lead becomes part of an open one: two rows, one open lead; the survivor's process hears of it. Two people
 * stay two: what belongs to the other one is not added to the survivor's.
 */
async function mergeInto(
  em: EntityManager,
  { change, capture, context, lead, duplicates }: Captured,
  survivor: LeadRow,
  likeLeadId: string,
): Promise<LeadRow> {
  const { intake, commandId, actor } = capture;
  const { candidates, person: owner } = context;
  const merged: LeadRow = {
    ...lead,
    personId: owner?.id ?? survivor.personId,
    accountId: survivor.accountId,
    status: 'merged',
    stage: 'merged',
    mergedIntoLeadId: survivor.id,
    closedAt: change.at,
  };
  const unclaimed = withoutClaimed(
    intake,
    candidates.filter(({ id }) => id !== survivor.id),
  );
  const filled = missing(survivor, unclaimed);
  const duplicate = duplicates.find(({ leadId }) => leadId === likeLeadId);
  const surviving = await absorb(em, change, survivor, merged, filled, [
    { into: Lead, rows: [merged as unknown as Record<string, unknown>] },
    capturedEntry(change, capture),
    timelineRow(change, 'lead.merged', 'merged into an open lead of the same person', { intoLeadId: survivor.id }),
    mergeRow(change, survivor.id, {
      rule: 'same person',
      stage: lead.stage as LeadStage,
      duplicate,
      filled: Object.keys(filled),
    }),
    ...externalRefs(change, intake),
    ...externalRefs({ ...change, subjectId: survivor.id }, intake),
  ]);
  const person = await findPerson(em, survivor.personId);
  const isAnother = owner !== null && owner.id !== survivor.personId;
  const known = person && !isAnother ? await completePerson(em, change, person, unclaimed, lead.emailStatus) : person;
  await insertRows(
    em,
    [],
    [answerStatement(change.organizationId, commandId, 200, answerJson(actor, surviving, known))],
  );
  return merged;
}
