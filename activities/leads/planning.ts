import type { EntityManager } from '@mikro-orm/postgresql';
import { type NextStep, planNext } from '../../db/leads/ladder.queries.ts';
import type { LeadRow } from '../../db/leads/lead-state.queries.ts';
import type { Change } from '../../db/model/changes.ts';
import { insertRows } from '../../db/model/set-based.ts';
import { hindranceTo } from './assignment.ts';
import { capacityFreed, saveLead } from './lead-change.ts';
import { tellOfDecision } from './notifications.ts';
import { chooseAnew } from './reassignment.ts';

/** Plans an open lead again by the configuration in force; one without an owner who works here is given to somebody. */
export async function replan(em: EntityManager, change: Change, lead: LeadRow): Promise<LeadRow> {
  if (!(await hasOwner(em, lead))) return findOwner(em, change, lead);
  return moveStep(em, change, lead, await planNext(em, lead));
}

/**
 * Announces a place of this user again that the lead was told of and did not take, looked at since it was in `round`: it
 * has ended, is deleted, or went to somebody else. One that still waits came too late; whoever has the place tells when
 * it is free.
 */
export async function passOn(
  em: EntityManager,
  change: Change,
  lead: LeadRow,
  round: number,
  userId: string,
): Promise<void> {
  const waits = lead.assignedUserId === null && lead.status === 'open' && lead.deletedAt === null;
  const took = lead.assignedUserId === userId && lead.round > round;
  if (!waits && !took) await insertRows(em, [capacityFreed(change, userId)]);
}

/** Writes a plan that differs from the one in force; nothing when it is the same. */
export async function moveStep(em: EntityManager, change: Change, lead: LeadRow, planned: NextStep): Promise<LeadRow> {
  if (planned.nextStep === lead.nextStep && planned.nextDueAt?.getTime() === lead.nextDueAt?.getTime()) return lead;
  const until = planned.nextDueAt ? ` until ${planned.nextDueAt.toISOString()}` : '';
  return saveLead(em, change, lead, planned, {
    kind: 'lead.planned',
    summary: `waits for ${planned.nextStep ?? 'nothing'}${until}`,
  });
}

/** Whether a lead has an owner who works here: whoever is not active any more, locked out or deleted is none. */
export async function hasOwner(em: EntityManager, { organizationId, assignedUserId }: LeadRow): Promise<boolean> {
  if (assignedUserId === null) return false;
  return (await hindranceTo(em, organizationId, assignedUserId)) === null;
}

/**
 * Gives a lead without an owner to whom the rules choose, be it that they had it before; a touched one stays touched,
 * and its new owner has the whole time until it counts as idle. When nobody can be given it, it waits: the manager hears
 * of that once, and it is looked at again when somebody has room or is back, or after an hour.
 */
export async function findOwner(em: EntityManager, change: Change, lead: LeadRow): Promise<LeadRow> {
  const { values: chosen, rows, statements, told } = await chooseAnew(em, change, lead, []);
  const waits = chosen.assignedUserId === null;
  const values = {
    ...chosen,
    stage: lead.stage === 'touched' ? lead.stage : chosen.stage,
    // Its team's manager goes on seeing it.
    teamId: chosen.teamId ?? lead.teamId,
  };
  const next = waits || values.stage !== 'touched' ? values : await planNext(em, { ...lead, ...values });
  const after = { ...values, nextStep: next.nextStep, nextDueAt: next.nextDueAt };
  const isNews = !waits || lead.nextStep !== 'find_owner';
  const why =
    lead.assignedUserId === null ? (waits ? '' : 'somebody can get it now: ') : 'its owner does not work here now: ';
  return saveLead(em, change, lead, after, rows.length === 0 ? null : { ...told, summary: `${why}${told.summary}` }, {
    rows: [...rows, ...(isNews ? await tellOfDecision(em, change, { ...lead, ...after }) : [])],
    statements,
  });
}
