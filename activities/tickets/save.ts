import { v7 as uuidv7 } from 'uuid';
import { actorLabel } from '../../db/access/actor.ts';
import { auditRows, baseColumns, type Change, timelineRow } from '../../db/model/changes.ts';
import { Problem } from '../../db/model/problem.ts';
import { gather, type Insertion, insertRows, type Statement } from '../../db/model/set-based.ts';
import { clocksChanged } from '../../db/tickets/life.queries.ts';
import { SlaClock } from '../../db/tickets/sla-clock.ts';
import type { TicketRow } from '../../db/tickets/ticket-state.queries.ts';
import { TicketStep } from '../../db/tickets/ticket-step.ts';
import type { Clock, TermsInForce } from '../../workflows/tickets/clocks.ts';
import {
  isWatched,
  nextPlanned,
  type Planned,
  slaOf,
  stepName,
  type TakenStep,
  wasTakenAt,
} from '../../workflows/tickets/plan.ts';
import { isOpenStage, mayChangeStage, type SlaTarget, targetNames } from '../../workflows/tickets/policy.ts';
import { keptTerms } from '../../workflows/tickets/terms.ts';
import { inStatus } from '../../workflows/tickets/waiting.ts';
import { capacityFreed } from './capacity.ts';
import { notify, unattended, watchersOf } from './notifications.ts';
import type { TicketCase } from './ticket-case.ts';

/** The timeline entry of a change: a sentence without personal data. */
export interface Told {
  kind: string;
  summary: string;
  details?: Record<string, unknown>;
}

/** What changes in a ticket, and what goes along. Left out: nothing of the kind. */
export interface Move {
  told: Told | null;
  values?: Partial<TicketRow>;
  /** All clocks of the case as they are afterwards, new ones included. */
  clocks?: Clock[];
  /** By what the plan is made from now on, if that changes. */
  inForce?: TermsInForce | null;
  rows?: Insertion[];
  statements?: Statement[];
  /** A step taken by this change, with what it did. */
  step?: { planned: Planned; userId: string | null; outcome: string };
  /** When what has fallen due is looked at again: something has to come before it. */
  putOffTo?: Date;
}

/** A ticket after a change, with its clocks and what it does next. */
export interface Saved {
  ticket: TicketRow;
  clocks: Clock[];
  next: Planned | null;
}

/**
 * Writes a change into a locked ticket in the caller's transaction: values, clocks, the plan that follows from them, with
 * audit and timeline. A breach that this change brings to light, or takes back, is put on record.
 */
export async function save(ticketCase: TicketCase, move: Move): Promise<Saved> {
  const { em, change, ticket, life } = ticketCase;
  const { clocks = life.clocks, rows = [], statements = [], step, told, putOffTo } = move;
  const values = { ...move.values, ...waitingAfter(ticket, move.values, change.at) };
  const stage = values.stage ?? ticket.stage;
  if (stage !== ticket.stage && !mayChangeStage(ticket.stage, stage))
    throw new Problem('illegal_stage', `A ticket that is "${ticket.stage}" cannot become "${stage}".`);

  const before = new Map(life.clocks.map((clock) => [clock.id, clock]));
  const made = clocks.filter(({ id }) => !before.has(id));
  const changed = clocks.filter((clock) => before.has(clock.id) && before.get(clock.id) !== clock);
  const breached = clocks.filter((clock) => clock.breached && before.get(clock.id)?.breached !== true);
  const takenBack = clocks.filter((clock) => !clock.breached && before.get(clock.id)?.breached === true);
  const dated = changed.filter(
    (clock) =>
      clock.breachedAt !== null && isOther(before.get(clock.id)?.breachedAt ?? clock.breachedAt, clock.breachedAt),
  );
  // One that is late again since the same instant was told of before.
  const news = breached.filter(({ id, breachedAt }) => !wasTakenAt(life.taken, id, 'breach', breachedAt));
  const watchers = news.length === 0 ? [] : await watchersOf(em, ticket);
  const noticed = breached.filter(({ id }) => step?.planned.step !== 'breach' || step.planned.clockId !== id);
  const steps = [
    ...(step ? [stepRow(change, ticket, step)] : []),
    ...noticed.map((clock) => stepRow(change, ticket, breachNoticed(clock, ticket))),
  ];
  const taken: TakenStep[] = [...life.taken, ...(step ? [step.planned] : [])];
  const inForce = move.inForce === undefined ? ticketCase.inForce : move.inForce;
  const planned = plan({ ...ticket, ...values }, clocks, inForce, taken, life.ended);
  const isUnattended =
    stage === 'queued' && !isWatched(clocks, inForce, taken) && !isKnownToWatchers(ticketCase, clocks);
  const next = planned.next && putOffTo ? { ...planned.next, dueAt: putOffTo } : planned.next;
  const after = { ...values, ...planned.values, nextDueAt: next?.dueAt ?? null };
  const leaves = ticket.assignedUserId !== null && isOpenStage(ticket.stage) && !isOpenStage(stage);
  const audit = auditRows(change, ticket.version + 1, ticket as unknown as Record<string, unknown>, after);
  await insertRows(
    em,
    gather([
      audit,
      ...(made.length === 0 ? [] : [{ into: SlaClock, rows: made.map((clock) => clockRow(change, ticket.id, clock)) }]),
      ...(steps.length === 0 ? [] : [{ into: TicketStep, rows: steps, unlessKnown: true }]),
      ...news.flatMap((clock) => watchers.flatMap((userId) => notify(change, userId, 'breach', ticket, clock))),
      ...(told ? [timelineRow(change, told.kind, told.summary.slice(0, 500), told.details ?? null)] : []),
      ...noticed.map(({ target, ordinal }) =>
        timelineRow(change, 'ticket.breached', breachOf(target), { target, ordinal }),
      ),
      ...(isUnattended ? await unattended(em, change, { ...ticket, ...values }) : []),
      ...(leaves && ticket.assignedUserId ? [capacityFreed(change, ticket.assignedUserId)] : []),
      ...rows,
    ]),
    [
      ...(changed.length === 0 ? [] : [clocksChanged(changed, change.at, actorLabel(change.actor))]),
      ...(takenBack.length === 0 ? [] : [stepsVoided(change, takenBack)]),
      ...dated.map((clock) => breachDated(change, clock)),
      ...statements,
    ],
  );
  if (audit.rows.length > 0) {
    em.assign(ticket, { ...after, updatedAt: change.at, updatedBy: actorLabel(change.actor) } as never, {
      mergeObjectProperties: false,
    });
    await em.flush();
  }
  return { ticket, clocks, next };
}

/** What a ticket does next by its clocks, and the columns that say so. */
export function plan(
  ticket: TicketRow,
  clocks: readonly Clock[],
  inForce: TermsInForce | null,
  taken: readonly TakenStep[],
  ended: { met: boolean; breached: boolean },
): { next: Planned | null; values: Pick<TicketRow, 'nextStep' | 'nextDueAt' | 'sla'> } {
  const isOver = ticket.stage === 'closed' || ticket.stage === 'merged';
  const terms = keptTerms(ticket.slaTerms);
  const next = isOver ? null : nextPlanned({ ...ticket, terms }, clocks, inForce, taken);
  const values = {
    nextStep: next && stepName(next),
    nextDueAt: next?.dueAt ?? null,
    sla: slaOf(clocks, taken, ended),
  };
  return { next, values };
}

/** Whether who watches the queue has heard of a ticket in it: by a breach that it has, or when it was unwatched before. */
function isKnownToWatchers({ ticket, life, inForce }: TicketCase, clocks: readonly Clock[]): boolean {
  if (ticket.stage !== 'queued') return false;
  return !isWatched(life.clocks, inForce, life.taken) || clocks.some(({ endedAt, breached }) => !endedAt && breached);
}

/** What another status means for the waiting; nothing when the status stays. */
function waitingAfter(ticket: TicketRow, { status }: Partial<TicketRow> = {}, at: Date): Partial<TicketRow> {
  return status === undefined || status === ticket.status ? {} : inStatus(ticket, status, at);
}

/** A new clock as its row. */
export function clockRow(change: Change, ticketId: string, clock: Clock): Record<string, unknown> {
  return { ...baseColumns(change), ticketId, ...clock };
}

function breachNoticed(clock: Clock, ticket: TicketRow): NonNullable<Move['step']> {
  const dueAt = clock.breachedAt ?? clock.startedAt;
  const planned = { step: 'breach', clockId: clock.id, target: clock.target, life: clock.life, dueAt, clause: '' };
  return { planned, userId: ticket.assignedUserId, outcome: breachOf(clock.target) };
}

const breachOf = (target: SlaTarget): string => `${targetNames[target]} breached`;

function stepRow(
  change: Change,
  ticket: TicketRow,
  { planned: { step, clockId, target, life, dueAt }, userId, outcome }: NonNullable<Move['step']>,
): Record<string, unknown> {
  return {
    id: uuidv7(),
    ...baseColumns(change),
    ticketId: ticket.id,
    slaClockId: clockId,
    target,
    step,
    life,
    dueAt,
    detectedAt: change.at,
    userId,
    outcome: outcome.slice(0, 300),
  };
}

const isOther = (one: Date, other: Date): boolean => one.getTime() !== other.getTime();

/** The breach on record of a clock that is late since another instant by what is known now. */
function breachDated({ at, organizationId }: Change, { id, life, breachedAt, breachDetectedAt }: Clock): Statement {
  return {
    sql: `update crm_core.crm_ticket_steps set due_at = ?, detected_at = ?, updated_at = ?, version = version + 1
      where organization_id = ? and sla_clock_id = ? and step = 'breach' and life = ? returning 1`,
    parameters: [breachedAt, breachDetectedAt, at, organizationId, id, life],
  };
}

/** Breaches and rungs that did not have to be: what was promised had been done, or was due later. */
function stepsVoided({ at, organizationId }: Change, clocks: readonly Clock[]): Statement {
  return {
    sql: `update crm_core.crm_ticket_steps set outcome = 'taken back: not due by then', updated_at = ?, version = version + 1
      where organization_id = ? and sla_clock_id = any(?::uuid[]) and (step = 'breach' or step like 'rung%') and outcome not like 'taken back%' returning 1`,
    parameters: [at, organizationId, `{${clocks.map(({ id }) => id).join(',')}}`],
  };
}
