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
import { scoreRow } from './rescoring.ts';

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
  const assigned =
    userId === undefined
      ? await chooseAnew(em, change, lead, await ownersOf(em, lead))
      : await assignTo(em, change, lead, userId);
  if (assigned.values.assignedUserId === null) {
    const detail =
      'Nobody else can get this lead: no rule gives it to anybody, and the organisation has no other fallback owner.';
    throw new Problem('rule_violation', detail);
  }
  const notes = reason === undefined ? [] : [noteOn(change, reason)];
  return give(em, change, lead, assigned, 'given to somebody else', notes);
}

/** Everybody who has had a lead. */
export async function ownersOf(em: EntityManager, { organizationId, id }: LeadRow): Promise<string[]> {
  const owners: { user_id: string }[] = await em.execute(
    `select distinct user_id from crm_core.crm_lead_assignments
     where organization_id = ? and lead_id = ? and user_id is not null`,
    [organizationId, id],
  );
  return owners.map((owner) => owner.user_id);
}

/** Chooses by the rules, passing over these users; the score that decides is kept with the decision. */
export async function chooseAnew(
  em: EntityManager,
  change: Change,
  lead: LeadRow,
  excludeUserIds: readonly string[],
): Promise<Assigned> {
  const { context, facts, modelScore } = await scoreAgain(em, lead, change.at);
  const assigned = await assign(em, change, { facts, context, excludeUserIds, round: lead.round + 1 });
  if (assigned.rows.length === 0) return assigned;
  const { contributions: _, ...score } = modelScore;
  const rows = [...assigned.rows, scoreRow(change, modelScore, 'assigned')];
  return { ...assigned, values: { ...score, ...assigned.values }, rows };
}

/** Writes an assignment into the lead and tells who got it and who had it. */
export async function give(
  em: EntityManager,
  change: Change,
  lead: LeadRow,
  { values, rows, statements, told }: Assigned,
  why: string,
  extra: Insertion[] = [],
): Promise<LeadRow> {
  const before = lead.assignedUserId;
  const notifications = [
    ...notify(change, values.assignedUserId, 'assigned', lead.fullName, values.nextDueAt),
    ...(before === values.assignedUserId ? [] : notify(change, before, 'reassigned_away', lead.fullName)),
  ];
  const summary = `${why}: ${told.summary}`;
  return saveLead(
    em,
    change,
    lead,
    values,
    { ...told, summary },
    {
      rows: [...rows, ...notifications, ...extra],
      statements,
    },
  );
}

function noteOn(change: Change, body: string): Insertion {
  const { subjectType, subjectId } = change;
  return { into: Note, rows: [{ id: uuidv7(), ...baseColumns(change), subjectType, subjectId, body, pinned: false }] };
}
