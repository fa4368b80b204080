import type { EntityManager } from '@mikro-orm/postgresql';
import { v7 as uuidv7 } from 'uuid';
import { findStartCommand, storeAnswer, type StoredCommand } from '../../db/automation/ledger.queries.ts';
import { Merge } from '../../db/governance/merge.ts';
import { type IntakeContext, lockContactKeys, readIntakeContext, type StoredIntake } from '../../db/leads/intake.queries.ts';
import { judgeDuplicates, type JudgedDuplicate, judgeScore } from '../../db/leads/judgement.ts';
import { LeadScore } from '../../db/leads/lead-score.ts';
import { answerJson, findLead, leadAnswer, type LeadRow, lockLead } from '../../db/leads/lead-state.queries.ts';
import { Lead } from '../../db/leads/lead.ts';
import { baseColumns, type Change, timelineRow } from '../../db/model/changes.ts';
import { Problem } from '../../db/model/problem.ts';
import { type Insertion, insertRows } from '../../db/model/set-based.ts';
import { ExternalRef } from '../../db/parties/external-ref.ts';
import { Person } from '../../db/parties/person.ts';
import type { EmailStatus } from '../../workflows/leads/facts.ts';
import type { NormalisedIntake } from '../../workflows/leads/normalisation.ts';
import { assign } from './assignment.ts';
import { absorb } from './merging.ts';
import { gather, notify } from './notices.ts';

/** The capture behind a lead: its stored command with the normalised body. */
export type CaptureCommand = StoredCommand & { body: StoredIntake };

/** The capture that started a lead, or Problem `not_found`: its body is erased a day after the answer. */
export async function findCapture(em: EntityManager, leadId: string): Promise<CaptureCommand> {
  const command = await findStartCommand(em, leadId);
  if (!command?.body) throw new Problem('not_found', `The command ledger has no capture for lead ${leadId}.`);
  return command as CaptureCommand;
}

/**
 * The whole decision on a captured lead in one transaction: locks, duplicates, score, assignment, rows, audit trail,
 * notice, answer. Keyed on the lead: a second call finds the row and changes nothing.
 */
export async function decide(em: EntityManager, command: CaptureCommand, emailStatus: EmailStatus, at: Date): Promise<LeadRow> {
  const { organizationId, recordId: leadId } = command;
  const { intake, steps } = command.body;
  const change: Change = { organizationId, actor: command.actor, at, subjectType: 'lead', subjectId: leadId, commandId: command.commandId };
  await lockContactKeys(em, organizationId, intake);
  const present = await findLead(em, leadId);
  if (present) return present;
  const context = await readIntakeContext(em, organizationId, leadId, intake);
  const { duplicates, exact } = judgeDuplicates(intake, context.candidates);
  const captured = capturedLead(change, command, context, { steps, duplicates });
  for (const candidate of exact) {
    const survivor = await lockLead(em, candidate.id);
    if (survivor?.status === 'open' && survivor.deletedAt === null) return mergeInto(em, change, command, captured, survivor, duplicates);
  }
  const lead = await scoreAndAssign(em, change, command, context, captured, emailStatus);
  return lead;
}

async function scoreAndAssign(em: EntityManager, change: Change, command: CaptureCommand, context: IntakeContext, captured: LeadRow, emailStatus: EmailStatus): Promise<LeadRow> {
  const { intake } = command.body;
  const { judged, facts } = judgeScore({ lead: intake, context, emailStatus, engagements: [], capturedAt: command.receivedAt, at: change.at });
  const { contributions, ...score } = judged;
  const assigned = await assign(em, change, { facts, context, excludeUserIds: [], round: 1 });
  const lead: LeadRow = { ...captured, ...score, stage: assigned ? 'assigned' : 'scored', ...assigned?.values };
  const person = { id: lead.personId, fullName: intake.fullName, primaryEmail: intake.email, primaryPhone: intake.phone, emailStatus };
  const score_ = { id: uuidv7(), ...baseColumns(change), leadId: lead.id, ...score, contributions, cause: 'captured', scoredAt: change.at };
  const status = 201;
  await insertRows(
    em,
    gather([
      ...(context.person ? [] : [newPerson(change, person, intake)]),
      { into: Lead, rows: [lead as unknown as Record<string, unknown>] },
      { into: LeadScore, rows: [score_] },
      ...(assigned?.rows ?? []),
      ...externalRefs(change, intake),
      timelineRow({ ...change, at: command.receivedAt }, 'lead.captured', `lead captured${intake.source ? ` from ${intake.source}` : ''}`),
      timelineRow(change, 'lead.scored', `scored ${lead.score}${lead.band ? ` (${lead.band})` : ''}`),
      ...(assigned
        ? [
            timelineRow(change, 'lead.assigned', assigned.reason.slice(0, 500), { userId: assigned.values.assignedUserId, round: 1 }),
            ...notify(change, assigned.values.assignedUserId, 'assigned', lead.fullName, lead.nextDueAt),
          ]
        : []),
    ]),
    assigned?.statements ?? [],
  );
  await storeAnswer(em, command.commandId, status, answerJson(command.actor, lead, person));
  return lead;
}

/** The captured lead becomes part of an open one: two rows, one open lead; the survivor's process hears of it. */
async function mergeInto(em: EntityManager, change: Change, command: CaptureCommand, captured: LeadRow, survivor: LeadRow, duplicates: JudgedDuplicate[]): Promise<LeadRow> {
  const { intake } = command.body;
  const merged: LeadRow = { ...captured, personId: survivor.personId, accountId: survivor.accountId, status: 'merged', stage: 'merged', mergedIntoLeadId: survivor.id, closedAt: change.at };
  await insertRows(
    em,
    gather([
      { into: Lead, rows: [merged as unknown as Record<string, unknown>] },
      timelineRow({ ...change, at: command.receivedAt }, 'lead.captured', `lead captured${intake.source ? ` from ${intake.source}` : ''}`),
      timelineRow(change, 'lead.merged', 'merged into an open lead of the same person', { intoLeadId: survivor.id }),
      mergeRow(change, survivor.id, { rule: 'same person', duplicate: duplicates.find(({ leadId }) => leadId === survivor.id) }),
      ...externalRefs({ ...change, subjectId: survivor.id }, intake),
    ]),
  );
  const surviving = await absorb(em, change, survivor, intake);
  await storeAnswer(em, command.commandId, 200, await leadAnswer(em, command.actor, surviving));
  return merged;
}

/** The record of a merge of `change`'s subject into a survivor. */
export function mergeRow(change: Change, survivorId: string, evidence: Record<string, unknown>): Insertion {
  return {
    into: Merge,
    rows: [{ id: uuidv7(), ...baseColumns(change), subjectType: 'lead', survivorId, mergedId: change.subjectId, evidence, mergedAt: change.at, undoneAt: null }],
  };
}

function capturedLead(change: Change, { receivedAt, body: { intake } }: CaptureCommand, context: IntakeContext, explained: { steps: unknown; duplicates: unknown }): LeadRow {
  const { fullName, normalizedName, email, phone, company, normalizedCompany, source, sourceRef, country, budgetBand, urgency, message, consent, utm } = intake;
  return {
    id: change.subjectId,
    ...baseColumns(change),
    personId: context.person?.id ?? uuidv7(),
    accountId: context.account?.id ?? null,
    fullName, normalizedName, email, phone, company, normalizedCompany, source, sourceRef, country, budgetBand, urgency, message, consent, utm,
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
    normalization: explained.steps,
    duplicates: explained.duplicates,
  } as LeadRow;
}

function newPerson(change: Change, person: { id: string; emailStatus: EmailStatus }, intake: NormalisedIntake): Insertion {
  const { fullName, normalizedName, email, phone, country, consent } = intake;
  const own = { fullName, normalizedName, primaryEmail: email, primaryPhone: phone, emailStatus: person.emailStatus, country, consent, personaLabels: [] };
  return { into: Person, rows: [{ id: person.id, ...baseColumns(change), ...own }] };
}

function externalRefs(change: Change, { externalRefs: refs }: NormalisedIntake): Insertion[] {
  const once = new Map(refs.map((ref) => [`${ref.system}\n${ref.externalId}`, ref]));
  const { subjectType, subjectId } = change;
  const rows = [...once.values()].map(({ system, externalId }) => ({ id: uuidv7(), ...baseColumns(change), subjectType, subjectId, system, externalId, url: null }));
  return rows.length === 0 ? [] : [{ into: ExternalRef, rows, unlessKnown: true }];
}
