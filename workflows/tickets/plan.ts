import { instantAfter, pausesOf } from './clock-time.ts';
import type { Clock, TermsInForce } from './clocks.ts';
import { actionNames, isOpenStage, type SlaTarget, slaTargets, targetNames, type TicketStage } from './policy.ts';
import type { SlaState } from '../processes/search-attributes.ts';
import { type OwnTerms, rungName } from './terms.ts';
import { endOfWait, type Waiting } from './waiting.ts';

/** Something that a ticket does by itself at an instant, unless something happens before. */
export interface Planned {
  /** `warning_50`, `breach`, `rung_reassign_10` of a clock; `route`, `resolve`, `resume` and `close` of the ticket. */
  step: string;
  clockId: string | null;
  target: SlaTarget | null;
  /** The life of the clock; for the ticket's own steps how often it was reopened, or began to wait for somebody. */
  life: number;
  dueAt: Date;
  /** In words, for timers and summaries: `first response · P1`. */
  clause: string;
}

/** What a step is called on its ticket: `first_response.warning_50`, `close`. */
export function stepName({ target, step }: Pick<Planned, 'target' | 'step'>): string {
  return target ? `${target}.${step}` : step;
}

/** A step on record. */
export interface TakenStep {
  step: string;
  clockId: string | null;
  life: number;
  /** When it had been due. */
  dueAt?: Date;
}

/** Whether a clock took a step when it was due at this very instant, in whatever life. */
export function wasTakenAt(taken: readonly TakenStep[], clockId: string, step: string, dueAt: Date | null): boolean {
  const isSame = (done: TakenStep) => done.clockId === clockId && done.step === step;
  return taken.some((done) => isSame(done) && dueAt !== null && done.dueAt?.getTime() === dueAt.getTime());
}

/** What the plan looks at beside the clocks; instants UTC. */
export interface PlannedTicket extends Waiting {
  stage: TicketStage;
  resolvedAt: Date | null;
  reopenCount: number;
  routeAgainAt: Date | null;
  terms: Omit<OwnTerms, 'reopenWithinMinutes'>;
}

/** Percents at which people are warned, ascending, each once. */
const warnings = ({ warnAt }: TermsInForce['terms']): number[] =>
  [...new Set(warnAt)].sort((one, other) => one - other);

/**
 * Everything that a clock does by itself from now on, in order: warnings and the breach while it runs; the rungs of the
 * ladder once it is late. Nothing while it stands still. Each is taken once, warnings whatever became of the breach, rungs
 * for each instant since which it is late.
 */
export function stepsOfClock(clock: Clock, inForce: TermsInForce, taken: readonly TakenStep[]): Planned[] {
  if (clock.endedAt) return [];
  const { id: clockId, target, life, priority, targetMinutes } = clock;
  const name = `${targetNames[target]} · ${priority}`;
  const isTaken = (step: string, anyLife: boolean) =>
    taken.some((done) => done.clockId === clockId && done.step === step && (anyLife || done.life === life));
  const planned = (step: string, dueAt: Date | null, clause: string): Planned[] =>
    dueAt === null ? [] : [{ step, clockId, target, life, dueAt, clause }];

  if (clock.breached) {
    return inForce.terms.escalation.flatMap((rung) => {
      const step = rungName(rung);
      if (rung.target !== target || isTaken(step, false)) return [];
      const dueAt = rungDueAt(clock, inForce, rung);
      // Late again since the same instant, it is no other breach: a mistaken priority was put right.
      if (wasTakenAt(taken, clockId, step, dueAt)) return [];
      return planned(step, dueAt, `${name} · escalation: ${actionNames[rung.action]}`);
    });
  }
  if (clock.state !== 'running' || clock.dueAt === null) return [];
  const pauses = pausesOf(clock);
  return [
    ...warnings(inForce.terms).flatMap((percent) => {
      const step = `warning_${percent}`;
      if (isTaken(step, true)) return [];
      const dueAt = instantAfter(inForce.calendar, clock.startedAt, (targetMinutes * percent) / 100, pauses);
      return planned(step, dueAt, `${name} · warning at ${percent} %`);
    }),
    ...planned('breach', clock.dueAt, name),
  ];
}

/**
 * Whether a clock will still say that its ticket waits: one that is not late, if only once it runs again, or one that has
 * a rung of the ladder before it.
 */
export function isWatched(
  clocks: readonly Clock[],
  inForce: TermsInForce | null,
  taken: readonly TakenStep[],
): boolean {
  return (
    inForce !== null &&
    clocks.some((clock) => !clock.endedAt && (!clock.breached || stepsOfClock(clock, inForce, taken).length > 0))
  );
}

function rungDueAt(
  clock: Clock,
  { calendar }: TermsInForce,
  { afterMinutes, clock: kind }: TermsInForce['terms']['escalation'][number],
): Date | null {
  if (clock.breachedAt === null) return null;
  if (kind === 'wall') return new Date(clock.breachedAt.getTime() + afterMinutes * 60_000);
  return instantAfter(calendar, clock.breachedAt, afterMinutes, pausesOf(clock));
}

/** The next thing that a ticket does by itself, over all its clocks; null when it waits for people alone. */
export function nextPlanned(
  ticket: PlannedTicket,
  clocks: readonly Clock[],
  inForce: TermsInForce | null,
  taken: readonly TakenStep[],
): Planned | null {
  const ofClocks = inForce ? clocks.flatMap((clock) => stepsOfClock(clock, inForce, taken)) : [];
  // The sort is stable: of what is due at one instant the end of a wait comes first, since what is resolved at the due
  // instant is in time; then the clocks, in their order.
  const planned = [...endOfWaiting(ticket), ...ofClocks, ...ownSteps(ticket)];
  return planned.sort((one, other) => one.dueAt.getTime() - other.dueAt.getTime())[0] ?? null;
}

const own = { clockId: null, target: null };

function endOfWaiting(ticket: PlannedTicket): Planned[] {
  const end = isOpenStage(ticket.stage) ? endOfWait(ticket, ticket.terms) : null;
  return end ? [{ ...own, ...end, life: ticket.waitCount }] : [];
}

function ownSteps({ stage, resolvedAt, reopenCount, routeAgainAt, terms }: PlannedTicket): Planned[] {
  if (stage === 'resolved' && resolvedAt !== null) {
    const dueAt = new Date(resolvedAt.getTime() + terms.closeAfterMinutes * 60_000);
    return [{ ...own, step: 'close', life: reopenCount, dueAt, clause: 'close' }];
  }
  if (!isOpenStage(stage) || !routeAgainAt) return [];
  return [{ ...own, step: 'route', life: reopenCount, dueAt: routeAgainAt, clause: 'route again' }];
}

/** Clocks in the order in which people read them: by target, then by age. */
export function inOrder(clocks: readonly Clock[]): Clock[] {
  return clocks.toSorted(
    (one, other) => slaTargets.indexOf(one.target) - slaTargets.indexOf(other.target) || one.ordinal - other.ordinal,
  );
}

/**
 * The state of a ticket as `CrmSla` says it: the worst of the clocks that are open; once none is, whether all was done
 * in time. Null for a ticket to which nothing was promised, or for which nothing was done before nobody waited for it.
 */
export function slaOf(
  clocks: readonly Clock[],
  taken: readonly TakenStep[],
  ended: { met: boolean; breached: boolean },
): SlaState | null {
  const open = clocks.filter(({ endedAt }) => endedAt === null);
  if (open.length === 0) {
    if (ended.breached || clocks.some(({ breached }) => breached)) return 'breached';
    return ended.met || clocks.some(({ state }) => state === 'met') ? 'met' : null;
  }
  if (open.some(({ breached }) => breached)) return 'breached';
  const running = open.filter(({ state }) => state === 'running');
  if (running.length === 0) return 'paused';
  const isWarned = ({ id }: Clock) => taken.some(({ clockId, step }) => clockId === id && step.startsWith('warning_'));
  return running.some(isWarned) ? 'warning' : 'on_track';
}
