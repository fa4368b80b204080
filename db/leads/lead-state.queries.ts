import type { EntityManager } from '@mikro-orm/postgresql';
import type { LeadStep } from '../../workflows/leads/policy.ts';
import { leadProcess } from '../../workflows/leads/messages.ts';
import { processLink } from '../../workflows/processes/link.ts';
import type { Actor } from '../access/actor.ts';
import type { Access } from '../model/define-resource.ts';
import type { RecordRow, RowOf } from '../model/entity.ts';
import { findRow, lockRow } from '../model/find-row.ts';
import { recordJson, type RecordJson } from '../model/record-json.ts';
import { openRows, visibleProperties } from '../model/redaction.ts';
import { Person } from '../parties/person.ts';
import { Lead, leads } from './lead.ts';

export type LeadRow = RowOf<typeof Lead>;

/** One lead of the transaction's organisation, deleted ones included; null when there is none. */
export function findLead(em: EntityManager, leadId: string): Promise<LeadRow | null> {
  return findRow(em, Lead, leadId);
}

/** The same, locked until the transaction ends. */
export function lockLead(em: EntityManager, leadId: string): Promise<LeadRow | null> {
  return lockRow(em, Lead, leadId);
}

/** The lead that a lead is part of now, through every merge, locked with all on the way; itself when it was not merged. */
export async function lockSurvivor(em: EntityManager, leadId: string): Promise<LeadRow | null> {
  let lead = await lockLead(em, leadId);
  while (lead?.mergedIntoLeadId) lead = await lockLead(em, lead.mergedIntoLeadId);
  return lead;
}

/** What a lead's process does next, as its row keeps it; the person it waits for is the owner. */
export function plannedStep({
  nextStep,
  nextDueAt,
  assignedUserId,
}: LeadRow): { step: LeadStep; dueAt: string; waitsFor: string | null } | null {
  if (nextStep === null || nextDueAt === null) return null;
  return { step: nextStep as LeadStep, dueAt: nextDueAt.toISOString(), waitsFor: assignedUserId };
}

/**
 * A lead as capture and commands answer it: the record with its person and its process. Callers who may not read this
 * lead (a website form, a colleague whose capture went to somebody else's) get no more of a person than the identifier.
 */
export async function leadAnswer(em: EntityManager, actor: Actor, lead: LeadRow): Promise<RecordJson> {
  return answerJson(actor, lead, await findPerson(em, lead.personId));
}

/** The person behind a lead. */
export function findPerson(em: EntityManager, personId: string): Promise<RowOf<typeof Person> | null> {
  return findRow(em, Person, personId);
}

/** The same from rows at hand. */
export function answerJson(
  actor: Actor,
  lead: LeadRow,
  person: Pick<RowOf<typeof Person>, 'id' | 'fullName' | 'primaryEmail' | 'primaryPhone' | 'emailStatus'> | null,
): RecordJson {
  const mayRead = isWithin(leads.read(actor), lead) && showsContactData(actor, lead);
  const publicProperties = [
    'status',
    'stage',
    'score',
    'band',
    'source',
    'sourceRef',
    'assignedUserId',
    'capturedAt',
    'version',
  ];
  return {
    ...recordJson(lead as unknown as RecordRow, mayRead ? visibleProperties(leads, true) : publicProperties),
    person:
      person && mayRead
        ? {
            id: person.id,
            fullName: person.fullName,
            primaryEmail: person.primaryEmail,
            primaryPhone: person.primaryPhone,
            emailStatus: person.emailStatus,
          }
        : { id: lead.personId },
    process: { ...processLink(leadProcess, lead.id), stage: lead.stage },
  };
}

/** Whether a lead at hand is one whose contact data this caller may read. */
export function showsContactData(actor: Actor, lead: LeadRow): boolean {
  return isWithin(openRows(leads, actor), lead);
}

/** Whether a row at hand is one that an access rule shows. The filter of leads compares columns with values, no more. */
function isWithin(access: Access, lead: LeadRow): boolean {
  if (typeof access === 'boolean') return access;
  return Object.entries(access).every(([property, value]) => lead[property as keyof LeadRow] === value);
}
