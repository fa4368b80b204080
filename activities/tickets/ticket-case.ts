import type { EntityManager } from '@mikro-orm/postgresql';
import { v7 as uuidv7 } from 'uuid';
import type { Change } from '../../db/model/changes.ts';
import { readLife, readOpenPromises, type TicketLife } from '../../db/tickets/life.queries.ts';
import type { TicketRow } from '../../db/tickets/ticket-state.queries.ts';
import { type Clock, type Judgement, rejudge } from '../../workflows/tickets/clocks.ts';
import { isOpenStage, type SlaTarget } from '../../workflows/tickets/policy.ts';
import { type OpenPromises, reconcile } from '../../workflows/tickets/promises.ts';

/** A locked ticket with its clocks, while a message or a step changes it. */
export interface TicketCase {
  em: EntityManager;
  change: Change;
  ticket: TicketRow;
  life: TicketLife;
  /** By what its clocks are judged; null: nothing is promised. */
  judgement: Judgement | null;
}

/** What a change does to the clocks and the terms of a ticket. */
export interface Rejudged {
  clocks: Clock[];
  judgement: Judgement | null;
  values: Partial<Pick<TicketRow, 'slaPolicyId' | 'slaPolicyVersion' | 'slaTerms'>>;
}

/** Reads the clocks of a locked ticket, and by what they are judged. */
export async function openCase(em: EntityManager, change: Change, ticket: TicketRow): Promise<TicketCase> {
  const life = await readLife(em, ticket);
  return { em, change, ticket, life, judgement: judgementOf(ticket, life) };
}

/** The terms that a ticket keeps, with the calendar as it is now. */
function judgementOf(ticket: TicketRow, { calendar }: TicketLife): Judgement | null {
  const { slaPolicyId: policyId, slaPolicyVersion: policyVersion, slaTerms: terms, priority, status } = ticket;
  if (policyId === null || policyVersion === null || !terms) return null;
  return { policyId, policyVersion, terms, calendar, priority, status };
}

/** Identifier and ordinal of each further clock of a ticket. */
export function clockNumbers({ ordinals }: Pick<TicketLife, 'ordinals'>): (target: SlaTarget) => {
  id: string;
  ordinal: number;
} {
  const highest = { ...ordinals };
  return (target) => {
    const ordinal = (highest[target] ?? 0) + 1;
    highest[target] = ordinal;
    return { id: uuidv7(), ordinal };
  };
}

/** By what a ticket is to be judged from now on: a policy version that was applied to open tickets replaces its terms. */
export function termsInForce({ life: { applied }, judgement }: TicketCase): Pick<Rejudged, 'judgement' | 'values'> {
  if (!judgement || !applied) return { judgement, values: {} };
  const { version, terms, calendar } = applied;
  return {
    judgement: { ...judgement, policyVersion: version, terms, calendar },
    values: { slaPolicyVersion: version, slaTerms: terms },
  };
}

/**
 * Judges a ticket by the configuration in force: a calendar that has changed moves its due instants, a policy version
 * that was applied to open tickets replaces its terms. Nothing changes when nothing has.
 */
export async function judgeAnew(ticketCase: TicketCase): Promise<Rejudged> {
  const { em, change, ticket, life } = ticketCase;
  if (!ticketCase.judgement || !isOpenStage(ticket.stage))
    return { clocks: life.clocks, judgement: ticketCase.judgement, values: {} };
  const { judgement, values } = termsInForce(ticketCase);
  if (!judgement || judgement === ticketCase.judgement) {
    const clocks = life.clocks.map((clock) =>
      judgement ? rejudge(clock, judgement, change.at, 'calendar changed') : clock,
    );
    return { clocks, judgement, values };
  }
  const cause = `policy version ${judgement.policyVersion} applied`;
  return {
    clocks: rejudgeAll(life, judgement, change, cause, await readOpenPromises(em, ticket)),
    judgement,
    values,
  };
}

/** Judges every open clock by other terms or another priority, and begins or ends those that this means. */
export function rejudgeAll(
  life: TicketLife,
  by: Judgement,
  { at }: Pick<Change, 'at'>,
  cause: string,
  promises: OpenPromises,
): Clock[] {
  return reconcile(life.clocks, promises, by, { at, cause }, clockNumbers(life));
}

/** The clocks of a case with some of the open ones changed. */
export function withClocks(
  { life, judgement }: TicketCase,
  alter: (clock: Clock, judgement: Judgement) => Clock,
  targets?: readonly SlaTarget[],
): Clock[] {
  if (!judgement) return life.clocks;
  return life.clocks.map((clock) =>
    clock.endedAt === null && (!targets || targets.includes(clock.target)) ? alter(clock, judgement) : clock,
  );
}
