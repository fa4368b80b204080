import type { EntityManager } from '@mikro-orm/postgresql';
import type { Actor } from '../../db/access/actor.ts';
import { type Database, inOrganization } from '../../db/database.ts';
import { lockContacts } from '../../db/leads/contact-locks.queries.ts';
import { compareDuplicates } from '../../db/leads/decisions.ts';
import { readIntakeContext } from '../../db/leads/intake.queries.ts';
import { planNext } from '../../db/leads/ladder.queries.ts';
import { type LeadRow, lockLead, lockSurvivor } from '../../db/leads/lead-state.queries.ts';
import type { Change } from '../../db/model/changes.ts';
import type { Insertion } from '../../db/model/set-based.ts';
import { leadProcess } from '../../workflows/leads/messages.ts';
import type { LeadRef } from '../leads.types.ts';
import { saveLead } from './lead-change.ts';
import { asIntake } from './lead-context.ts';
import { join } from './merging.ts';
import { notify } from './notifications.ts';
import { findOwner, hasOwner } from './planning.ts';

/**
 * Takes up a lead that was deleted and restored at `at`, before its process runs again: one whose person was captured
 * anew meanwhile is merged into that lead, as a capture would be; any other goes back to its owner, or to somebody else if that one has left. Called again it
 * changes nothing, nor does it if the lead was given away, touched or closed since.
 */
export async function takeUpRestored(
  database: Database,
  { organizationId, leadId, at }: LeadRef & { at: Date },
): Promise<void> {
  await inOrganization(database, organizationId, async (em) => {
    await lockContacts(em, organizationId, [leadId]);
    const lead = await lockLead(em, leadId);
    if (!lead || lead.deletedAt !== null || lead.status !== 'open') return;
    const actor: Actor = { kind: 'process', organizationId, process: leadProcess.name, recordId: leadId };
    const change: Change = { organizationId, actor, at, subjectType: 'lead', subjectId: leadId, commandId: null };
    if (await isMerged(em, change, lead)) return;
    const { stage, assignedAt, lastActivityAt, touchedAt } = lead;
    const since = stage === 'touched' ? (lastActivityAt ?? touchedAt) : assignedAt;
    if ((stage !== 'assigned' && stage !== 'touched') || since === null || since >= at) return;
    if (!(await hasOwner(em, lead))) {
      await findOwner(em, change, lead);
      return;
    }
    const { values, rows } = await backToOwner(em, change, lead, stage);
    await saveLead(em, change, lead, values, { kind: 'lead.resumed', summary: 'restored: chased anew' }, { rows });
  });
}

/** Merges a lead into an open one of the same person, if there is one that nobody has taken it apart from. */
async function isMerged(em: EntityManager, change: Change, lead: LeadRow): Promise<boolean> {
  const intake = asIntake(lead);
  const { candidates } = await readIntakeContext(em, lead.organizationId, lead.id, intake);
  const { duplicates, exact } = compareDuplicates(intake, candidates);
  const apart = await readTakenApart(em, lead);
  for (const { id } of exact.filter((candidate) => !apart.includes(candidate.id))) {
    const survivor = await lockSurvivor(em, id);
    if (survivor?.status !== 'open' || survivor.deletedAt !== null) continue;
    const duplicate = duplicates.find(({ leadId }) => leadId === id);
    await join(em, change, lead, survivor, { rule: 'same person', duplicate, others: candidates });
    return true;
  }
  return false;
}

/** The leads that somebody took a lead out of, or out of it. */
async function readTakenApart(em: EntityManager, { organizationId, id }: LeadRow): Promise<string[]> {
  const merges: { survivor_id: string; merged_id: string }[] = await em.execute(
    `select survivor_id, merged_id from crm_core.crm_merges
     where organization_id = ? and (survivor_id = ? or merged_id = ?) and undone_at is not null`,
    [organizationId, id, id],
  );
  return merges.flatMap(({ survivor_id, merged_id }) => [survivor_id, merged_id]);
}

/** A lead goes on with its owner at `change.at`, in this stage: its ladder, or its idle time, begins anew; the owner is told. */
export async function backToOwner(
  em: EntityManager,
  change: Change,
  lead: LeadRow,
  stage: 'assigned' | 'touched',
): Promise<{ values: Partial<LeadRow>; rows: Insertion[] }> {
  const restarted = stage === 'touched' ? { lastActivityAt: change.at } : { assignedAt: change.at };
  const next = await planNext(em, { ...lead, stage, ...restarted });
  const rows = notify(change, lead.assignedUserId, 'assigned', lead.fullName, next.nextDueAt);
  return { values: { stage, ...restarted, ...next }, rows };
}
