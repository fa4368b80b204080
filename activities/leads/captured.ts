import { v7 as uuidv7 } from 'uuid';
import type { Capture, IntakeContext } from '../../db/leads/intake.queries.ts';
import type { ComparedDuplicate } from '../../db/leads/decisions.ts';
import type { LeadRow } from '../../db/leads/lead-state.queries.ts';
import { baseColumns, type Change, timelineRow } from '../../db/model/changes.ts';
import type { Insertion } from '../../db/model/set-based.ts';
import { ExternalRef } from '../../db/parties/external-ref.ts';
import type { EmailStatus } from '../../workflows/leads/facts.ts';
import type { NormalisedIntake } from '../../workflows/leads/normalisation.ts';
import { likelyOf } from './duplicate-flags.ts';

/** The first entry in the timeline of a lead, at the receipt of its capture. */
export function capturedEntry(change: Change, { receivedAt, intake: { source } }: Capture): Insertion {
  return timelineRow({ ...change, at: receivedAt }, 'lead.captured', `lead captured${source ? ` from ${source}` : ''}`);
}

/** The row of a lead before anything was decided on it; a person not known yet gets an identifier. */
export function capturedLead(
  change: Change,
  { receivedAt, intake, steps }: Capture,
  context: IntakeContext,
  duplicates: ComparedDuplicate[],
  emailStatus: EmailStatus,
): LeadRow {
  const {
    fullName,
    normalizedName,
    email,
    phone,
    company,
    normalizedCompany,
    source,
    sourceRef,
    country,
    budgetBand,
    urgency,
    message,
    consent,
    utm,
  } = intake;
  return {
    id: change.subjectId,
    ...baseColumns(change),
    personId: context.person?.id ?? uuidv7(),
    accountId: context.account?.id ?? null,
    fullName,
    normalizedName,
    email,
    emailStatus,
    phone,
    company,
    normalizedCompany,
    source,
    sourceRef,
    country,
    budgetBand,
    urgency,
    message,
    consent,
    utm,
    status: 'open',
    stage: 'captured',
    score: 0,
    band: null,
    scoringModelId: null,
    scoringModelVersion: null,
    assignmentRuleId: null,
    assignmentRuleVersion: null,
    teamId: null,
    assignedUserId: null,
    assignedAt: null,
    round: 0,
    nextStep: null,
    nextDueAt: null,
    capturedAt: receivedAt,
    touchedAt: null,
    lastActivityAt: null,
    engagementCount: 0,
    closedAt: null,
    disqualifyReason: null,
    mergedIntoLeadId: null,
    likelyDuplicates: likelyOf(duplicates).length,
    normalization: steps,
    duplicates,
  } as LeadRow;
}

/** The references that a capture brought along, as rows of `change`'s subject. */
export function externalRefs(change: Change, { externalRefs: refs }: NormalisedIntake): Insertion[] {
  const { subjectType, subjectId } = change;
  const rows = refs.map(({ system, externalId }) => ({
    id: uuidv7(),
    ...baseColumns(change),
    subjectType,
    subjectId,
    system,
    externalId,
    url: null,
  }));
  return rows.length === 0 ? [] : [{ into: ExternalRef, rows, unlessKnown: true }];
}
