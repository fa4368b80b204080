import { forestalledMilliseconds, isForestalled } from '../../db/automation/owed-commands.queries.ts';
import { breach, type Clock } from '../../workflows/tickets/clocks.ts';
import { forestalling } from '../../workflows/tickets/messages.ts';
import { type Planned, stepName, stepsOfClock } from '../../workflows/tickets/plan.ts';
import { actionNames, raised, targetNames } from '../../workflows/tickets/policy.ts';
import { type EscalationRung, rungName } from '../../workflows/tickets/terms.ts';
import { administratorsOf, managerOf } from '../notifications.ts';
import type { TicketStepDue } from '../tickets.types.ts';
import { withPriority } from './messages.ts';
import { notify, watchersOf } from './notifications.ts';
import { route, routeIfNeeded } from './rerouting.ts';
import { type Move, plan, save, type Saved } from './save.ts';
import { endOfHold, endOfSilence } from './status.ts';
import { recomputeTicket, type Recomputed, type TicketCase, withRecomputed } from './ticket-case.ts';

/**
 * Takes a step that has fallen due, on a locked ticket: computes and plans anew first, since calendar or policy may have
 * changed; what is not due by that plan is only moved. A message that was received in time and is still on its way goes
 * first: neither a notice of a breach could be taken back, nor what the ladder does.
 */
export async function takeStep(ticketCase: TicketCase, due: TicketStepDue): Promise<Saved> {
  const { em, change, ticket, life } = ticketCase;
  const recomputed = await recomputeTicket(ticketCase);
  const { next } = plan(
    { ...ticket, ...recomputed.values },
    recomputed.clocks,
    recomputed.inForce,
    life.taken,
    life.ended,
  );
  // Of several clocks with a step of that name the first one due has it, whichever was waited for.
  if (!next || stepName(next) !== due.step || next.dueAt > change.at)
    return save(ticketCase, { told: null, ...recomputed });
  // Nobody was promised the instant at which a wait ends: what was written before it is noticed goes first, too.
  const writtenBy = endsWait(next) ? change.at : next.dueAt;
  if (next.step !== 'route' && (await isForestalled(em, ticket.id, forestalling, writtenBy))) {
    const putOffTo = new Date(change.at.getTime() + forestalledMilliseconds);
    return save(ticketCase, { told: null, ...recomputed, putOffTo });
  }
  const move = await moveOf(ticketCase, recomputed, next);
  return save(ticketCase, { ...recomputed, ...move, values: { ...recomputed.values, ...move.values } });
}

const endsWait = ({ step }: Planned): boolean => step === 'resolve' || step === 'resume';

async function moveOf(ticketCase: TicketCase, recomputed: Recomputed, next: Planned): Promise<Move> {
  if (next.step === 'close') return closed(ticketCase, next);
  if (next.step === 'route') return { told: null, ...(await routeIfNeeded(ticketCase)) };
  if (next.step === 'resolve') return endOfSilence(withRecomputed(ticketCase, recomputed), next);
  if (next.step === 'resume') return endOfHold(withRecomputed(ticketCase, recomputed), next);
  const clock = recomputed.clocks.find(({ id }) => id === next.clockId);
  if (!clock || !recomputed.inForce) throw new Error(`The step ${next.step} belongs to no clock.`);
  if (next.step === 'breach') return breached(ticketCase, recomputed, clock, next);
  if (next.step.startsWith('warning_')) return warned(ticketCase, recomputed, clock, next);
  const rung = recomputed.inForce.terms.escalation.find((one) => rungName(one) === next.step);
  if (!rung) throw new Error(`The policy has no rung for the step ${next.step}.`);
  return climbed({ ...ticketCase, ...recomputed }, clock, next, rung);
}

function closed({ ticket, change }: TicketCase, planned: Planned): Move {
  return {
    told: { kind: 'ticket.closed', summary: 'closed by itself: resolved, and nobody wrote again' },
    values: { stage: 'closed', status: 'closed', closedAt: change.at },
    step: { planned, userId: ticket.assignedUserId, outcome: 'closed by itself' },
  };
}

/** A breach is put on record and told of by `save`, as is one that a message brings to light. */
function breached({ ticket, change }: TicketCase, { clocks }: Recomputed, late: Clock, planned: Planned): Move {
  const outcome = `${targetNames[late.target]} breached`;
  return {
    told: { kind: 'ticket.breached', summary: outcome, details: { target: late.target, ordinal: late.ordinal } },
    clocks: clocks.map((clock) => (clock === late ? breach(clock, change.at) : clock)),
    step: { planned, userId: ticket.assignedUserId, outcome },
  };
}

/** What is late at once by more than one step (after an outage, or a stricter priority) is told of once. */
async function warned(ticketCase: TicketCase, { inForce }: Recomputed, clock: Clock, planned: Planned): Promise<Move> {
  const { em, change, ticket, life } = ticketCase;
  const taken = [...life.taken, { step: planned.step, clockId: clock.id, life: clock.life }];
  const following = inForce ? stepsOfClock(clock, inForce, taken)[0] : undefined;
  const isPassed = following !== undefined && following.dueAt <= change.at;
  const watchers = await watchersOf(em, ticket);
  const warns = watchers.length > 0 ? 'warned' : 'there is nobody to warn';
  const outcome = isPassed ? 'noticed together with what came after' : warns;
  return {
    told: { kind: 'ticket.warned', summary: planned.clause, details: { target: clock.target, ordinal: clock.ordinal } },
    rows: isPassed ? [] : watchers.flatMap((userId) => notify(change, userId, 'warning', ticket, clock)),
    step: { planned, userId: watchers[0] ?? null, outcome },
  };
}

async function climbed(
  ticketCase: TicketCase,
  clock: Clock,
  planned: Planned,
  { action }: EscalationRung,
): Promise<Move> {
  const { em, change, ticket } = ticketCase;
  const told = (outcome: string, userId: string | null = ticket.assignedUserId) => ({
    told: { kind: 'ticket.escalated', summary: `${targetNames[clock.target]}: ${outcome}` },
    step: { planned, userId, outcome },
  });
  const tell = (userIds: readonly string[]) => ({
    ...told(userIds.length > 0 ? actionNames[action] : `${actionNames[action]}: there is nobody`, userIds[0] ?? null),
    rows: userIds.flatMap((userId) => notify(change, userId, 'escalation', ticket, clock)),
  });
  const listed = (userId: string | null) => (userId === null ? [] : [userId]);
  switch (action) {
    case 'notify_assignee':
      return tell(listed(ticket.assignedUserId));
    case 'notify_manager':
      return tell(listed(await managerOf(em, ticket)));
    case 'notify_administrators':
      return tell(await administratorsOf(em, ticket.organizationId));
    case 'reassign': {
      const present = ticket.assignedUserId;
      const routed = await route(ticketCase, 'escalated', { excludeUserIds: listed(present) });
      if (routed.userId === null && present !== null) return told('nobody else can take it: it stays');
      const { values, rows, statements } = routed;
      return { ...told(routed.userId ? 'given to somebody else' : 'nobody can take it'), values, rows, statements };
    }
    case 'raise_priority': {
      const priority = raised(ticket.priority);
      if (priority === ticket.priority) return told('the priority is the highest already');
      const cause = `priority ${ticket.priority} → ${priority} by escalation`;
      return { ...told(cause), ...(await withPriority(ticketCase, priority, cause)) };
    }
  }
}
