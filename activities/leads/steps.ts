import type { EntityManager } from '@mikro-orm/postgresql';
import { v7 as uuidv7 } from 'uuid';
import type { LeadRow } from '../../db/leads/lead-state.queries.ts';
import { LeadStep } from '../../db/leads/lead-step.ts';
import { planNext } from '../../db/leads/ladder.queries.ts';
import { baseColumns, type Change } from '../../db/model/changes.ts';
import { gather, type Insertion, insertRows } from '../../db/model/set-based.ts';
import type { LeadStep as Step } from '../../workflows/leads/policy.ts';
import type { StepDue } from '../leads.types.ts';
import { managerOf } from '../notifications.ts';
import { saveLead } from './lead-change.ts';
import { notify } from './notifications.ts';
import { chooseAnew, give } from './reassignment.ts';

/**
 * Takes a step that has fallen due, on a locked lead: plans again first, since calendar, owner or ladder may have
 * changed; what is not due by that plan is only moved.
 */
export async function takeStep(em: EntityManager, change: Change, lead: LeadRow, due: StepDue): Promise<LeadRow> {
  const planned = await planNext(em, lead);
  const { nextStep, nextDueAt } = planned;
  const isPlanned = nextStep === due.step && lead.round === due.round;
  if (!isPlanned || nextDueAt === null || nextDueAt > new Date(due.detectedAt))
    return moveStep(em, change, lead, planned);
  return acts[due.step](em, change, lead, (outcome) =>
    kept(change, lead, { ...due, dueAt: nextDueAt.toISOString() }, outcome),
  );
}

/** Writes a plan that differs from the one in force; nothing when it is the same. */
export async function moveStep(
  em: EntityManager,
  change: Change,
  lead: LeadRow,
  planned: Pick<LeadRow, 'nextDueAt'> & { nextStep: Step | null },
): Promise<LeadRow> {
  if (planned.nextStep === lead.nextStep && planned.nextDueAt?.getTime() === lead.nextDueAt?.getTime()) return lead;
  const until = planned.nextDueAt ? ` until ${planned.nextDueAt.toISOString()}` : '';
  return saveLead(em, change, lead, planned, {
    kind: 'lead.planned',
    summary: `waits for ${planned.nextStep ?? 'nothing'}${until}`,
  });
}

type Keep = (outcome: string) => Insertion;
type Act = (em: EntityManager, change: Change, lead: LeadRow, keep: Keep) => Promise<LeadRow>;

const acts: Readonly<Record<Step, Act>> = {
  remind_owner: async (em, change, lead, keep) =>
    goOn(em, change, lead, 'owner reminded', [
      keep('owner reminded'),
      ...notify(change, lead.assignedUserId, 'remind_owner', lead.fullName),
    ]),
  tell_manager: (em, change, lead, keep) => tellManager(em, change, lead, keep, 'tell_manager'),
  reassign: async (em, change, lead, keep) => {
    const assigned = await chooseAnew(em, change, lead);
    if (!assigned) return goOn(em, change, lead, 'nobody else can get it', [keep('nobody else can get it; it stays')]);
    return give(em, change, lead, assigned, 'not touched in time', [keep('given to somebody else')]);
  },
  tell_manager_again: (em, change, lead, keep) => tellManager(em, change, lead, keep, 'tell_manager_again'),
  remind_idle: async (em, change, lead, keep) =>
    goOn(em, change, lead, 'owner reminded, idle', [
      keep('owner reminded'),
      ...notify(change, lead.assignedUserId, 'remind_idle', lead.fullName),
    ]),
  close_stale: async (em, change, lead, keep) =>
    saveLead(
      em,
      change,
      lead,
      { stage: 'disqualified', disqualifyReason: 'stale' },
      { kind: 'lead.disqualified', summary: 'closed as stale' },
      {
        rows: [keep('closed as stale'), ...notify(change, lead.assignedUserId, 'close_stale', lead.fullName)],
      },
    ),
};

async function tellManager(
  em: EntityManager,
  change: Change,
  lead: LeadRow,
  keep: Keep,
  notification: 'tell_manager' | 'tell_manager_again',
): Promise<LeadRow> {
  const manager = await managerOf(em, lead);
  const outcome = manager ? 'manager told' : 'there is no manager to tell';
  return goOn(em, change, lead, outcome, [keep(outcome), ...notify(change, manager, notification, lead.fullName)]);
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
