import type { EntityManager } from '@mikro-orm/postgresql';
import { v7 as uuidv7 } from 'uuid';
import { forestalledMilliseconds, isForestalled } from '../../db/automation/owed-commands.queries.ts';
import { readAbsence } from '../../db/leads/absence.queries.ts';
import type { LeadRow } from '../../db/leads/lead-state.queries.ts';
import { LeadStep } from '../../db/leads/lead-step.ts';
import { type NextStep, planNext } from '../../db/leads/ladder.queries.ts';
import { baseColumns, type Change } from '../../db/model/changes.ts';
import { gather, type Insertion, insertRows } from '../../db/model/set-based.ts';
import { forestalling } from '../../workflows/leads/messages.ts';
import type { ChasingStep } from '../../workflows/leads/policy.ts';
import type { StepDue } from '../leads.types.ts';
import { saveLead } from './lead-change.ts';
import { whoWatches } from '../notifications.ts';
import { notify } from './notifications.ts';
import { findOwner, hasOwner, moveStep } from './planning.ts';
import { chooseAnew, give, ownersOf } from './reassignment.ts';

/**
 * Takes a step that has fallen due, on a locked lead: plans again first, since calendar, owner or ladder may have
 * changed; what is not due by that plan is only moved. A message that was received in time and is still on its way goes
 * first: a reminder could not be taken back, nor a closing.
 */
export async function takeStep(em: EntityManager, change: Change, lead: LeadRow, due: StepDue): Promise<LeadRow> {
  const isOwned = await hasOwner(em, lead);
  // Nobody is chased who has left: what was planned for them is when another owner is looked for.
  const planned: NextStep = isOwned ? await planNext(em, lead) : lead;
  const { nextStep, nextDueAt } = planned;
  const isPlanned = nextStep === due.step && lead.round === due.round;
  if (!isPlanned || nextDueAt === null || nextDueAt > new Date(due.detectedAt))
    return moveStep(em, change, lead, planned);
  if (!isOwned || due.step === 'find_owner') return findOwner(em, change, lead);
  if (await isForestalled(em, lead.id, forestalling, nextDueAt)) {
    const again = new Date(Date.parse(due.detectedAt) + forestalledMilliseconds);
    return saveLead(em, change, lead, { nextStep, nextDueAt: again }, null);
  }
  return acts[due.step](em, change, lead, (outcome) =>
    kept(change, lead, { ...due, dueAt: nextDueAt.toISOString() }, outcome),
  );
}

type Keep = (outcome: string) => Insertion;
type Act = (em: EntityManager, change: Change, lead: LeadRow, keep: Keep) => Promise<LeadRow>;

const acts: Readonly<Record<ChasingStep, Act>> = {
  remind_owner: (em, change, lead, keep) => remind(em, change, lead, keep, 'remind_owner'),
  tell_manager: (em, change, lead, keep) => tellManager(em, change, lead, keep, 'tell_manager'),
  reassign: async (em, change, lead, keep) => {
    const assigned = await chooseAnew(em, change, lead, await ownersOf(em, lead));
    if (assigned.values.assignedUserId !== null)
      return give(em, change, lead, assigned, 'not touched in time', [keep('given to somebody else')]);
    const rows = [keep('nobody else can get it; it stays'), ...assigned.rows];
    return goOn(em, change, lead, 'nobody else can get it', rows);
  },
  tell_manager_again: (em, change, lead, keep) => tellManager(em, change, lead, keep, 'tell_manager_again'),
  remind_idle: (em, change, lead, keep) => remind(em, change, lead, keep, 'remind_idle'),
  close_stale: async (em, change, lead, keep) => {
    const { userIds } = await whoIsThere(em, change, lead);
    // An owner who is away finds it when they are back.
    const told = [...new Set([lead.assignedUserId, ...userIds])];
    const rows = told.flatMap((userId) => notify(change, userId, 'close_stale', lead.fullName));
    return saveLead(
      em,
      change,
      lead,
      { stage: 'disqualified', disqualifyReason: 'stale' },
      { kind: 'lead.disqualified', summary: 'closed as stale' },
      { rows: [keep('closed as stale'), ...rows] },
    );
  },
};

async function remind(
  em: EntityManager,
  change: Change,
  lead: LeadRow,
  keep: Keep,
  notification: 'remind_owner' | 'remind_idle',
): Promise<LeadRow> {
  const { userIds, outcome } = await whoIsThere(em, change, lead);
  const rows = userIds.flatMap((userId) => notify(change, userId, notification, lead.fullName));
  return goOn(em, change, lead, outcome, [keep(outcome), ...rows]);
}

/** Whom a reminder to the owner reaches: the owner, or while they are away their delegate, or else whoever watches. */
async function whoIsThere(
  em: EntityManager,
  { at }: Change,
  lead: LeadRow,
): Promise<{ userIds: string[]; outcome: string }> {
  if (lead.assignedUserId === null) return { userIds: [], outcome: 'there is no owner' };
  const { isAway, standInUserId } = await readAbsence(em, lead.assignedUserId, at);
  if (!isAway) return { userIds: [lead.assignedUserId], outcome: 'owner reminded' };
  if (standInUserId !== null) return { userIds: [standInUserId], outcome: 'owner is away: delegate reminded' };
  const { userIds, who } = await whoWatches(em, lead);
  return userIds.length > 0
    ? { userIds, outcome: `owner is away: ${who} reminded` }
    : { userIds: [lead.assignedUserId], outcome: 'owner reminded, though away: there is nobody else' };
}

async function tellManager(
  em: EntityManager,
  change: Change,
  lead: LeadRow,
  keep: Keep,
  notification: 'tell_manager' | 'tell_manager_again',
): Promise<LeadRow> {
  const { userIds, who } = await whoWatches(em, lead);
  const outcome = userIds.length > 0 ? `${who} told` : 'there is no manager to tell';
  const rows = userIds.flatMap((userId) => notify(change, userId, notification, lead.fullName));
  return goOn(em, change, lead, outcome, [keep(outcome), ...rows]);
}

/** The step is on record first, so that the plan made next has it behind it. */
async function goOn(
  em: EntityManager,
  change: Change,
  lead: LeadRow,
  summary: string,
  rows: Insertion[],
): Promise<LeadRow> {
  await insertRows(em, gather(rows));
  const next = await planNext(em, lead);
  return saveLead(em, change, lead, next, { kind: 'lead.chased', summary });
}

function kept(change: Change, lead: LeadRow, { round, step, dueAt, detectedAt }: StepDue, outcome: string): Insertion {
  const row = {
    id: uuidv7(),
    ...baseColumns(change),
    leadId: lead.id,
    round,
    step,
    dueAt,
    detectedAt,
    userId: lead.assignedUserId,
    outcome,
  };
  return { into: LeadStep, rows: [row], unlessKnown: true };
}
