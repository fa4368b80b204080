import type { EntityManager } from '@mikro-orm/postgresql';
import { v7 as uuidv7 } from 'uuid';
import { Note } from '../../db/engagement/note.ts';
import type { LeadRow } from '../../db/leads/lead-state.queries.ts';
import { baseColumns, type Change } from '../../db/model/changes.ts';
import { Problem } from '../../db/model/problem.ts';
import type { Insertion } from '../../db/model/set-based.ts';
import type { leadProcess } from '../../workflows/leads/messages.ts';
import type { PayloadOf } from '../../workflows/processes/messages.ts';
import { assign, type Assigned, assignTo } from './assignment.ts';
import { saveLead } from './lead-change.ts';
import { scoreAgain } from './lead-context.ts';
import { notify } from './notifications.ts';

/**
 * Gives a lead to the user named, or to whom the rules choose among those who have not had it; a new ladder begins. The
 * reason stays as a note on the lead.
 */
export async function reassign(
  em: EntityManager,
  change: Change,
  lead: LeadRow,
  { userId, reason }: PayloadOf<typeof leadProcess, 'reassign'>,
): Promise<LeadRow> {
  const assigned = userId === undefined ? await chooseAnew(em, change, lead) : await assignTo(em, change, lead, userId);
  if (!assigned) {
    const detail =
      'Nobody else can get this lead: no rule gives it to anybody, and the organisation has no other fallback owner.';
    throw new Problem('rule_violation', detail);
  }
  return give(
    em,
    change,
    lead,
    assigned,
    'given to somebody else',
    reason === undefined ? [] : [noteOn(change, reason)],
  );
}

/** Chooses by the rules, passing over everybody who has had the lead; null when nobody is left. */
export async function chooseAnew(em: EntityManager, change: Change, lead: LeadRow): Promise<Assigned | null> {
  const { context, facts } = await scoreAgain(em, lead, change.at);
  const owners: { user_id: string }[] = await em.execute(
    'select distinct user_id from crm_core.crm_lead_assignments where organization_id = ? and lead_id = ?',
    [lead.organizationId, lead.id],
  );
  const excludeUserIds = owners.map((owner) => owner.user_id);
  return assign(em, change, { facts, context, excludeUserIds, round: lead.round + 1 });
}

/** Writes an assignment into the lead and tells who got it and who had it. */
export async function give(
  em: EntityManager,
  change: Change,
  lead: LeadRow,
  assigned: Assigned,
  why: string,
  extra: Insertion[] = [],
): Promise<LeadRow> {
  const { values, rows, statements, reason } = assigned;
  const before = lead.assignedUserId;
  const told = {
    kind: 'lead.assigned',
    summary: `${why}: ${reason}`,
    details: { userId: values.assignedUserId, round: values.round },
  };
  const notifications = [
    ...notify(change, values.assignedUserId, 'assigned', lead.fullName, values.nextDueAt),
    ...(before === values.assignedUserId ? [] : notify(change, before, 'reassigned_away', lead.fullName)),
  ];
  return saveLead(em, change, lead, { ...values, stage: 'assigned' }, told, {
    rows: [...rows, ...notifications, ...extra],
    statements,
  });
}

function noteOn(change: Change, body: string): Insertion {
  const { subjectType, subjectId } = change;
  return { into: Note, rows: [{ id: uuidv7(), ...baseColumns(change), subjectType, subjectId, body, pinned: false }] };
}
