import type { EntityManager } from '@mikro-orm/postgresql';
import type { Change } from '../../db/model/changes.ts';
import { clockNumbers, readLife, readOpenPromises, type TicketLife } from '../../db/tickets/life.queries.ts';
import type { TicketRow } from '../../db/tickets/ticket-state.queries.ts';
import { type Clock, type TermsInForce, recompute } from '../../workflows/tickets/clocks.ts';
import { isOpenStage, type SlaTarget } from '../../workflows/tickets/policy.ts';
import { type OpenPromises, reconcile } from '../../workflows/tickets/promises.ts';

/** A locked ticket with its clocks, while a message or a step changes it. */
export interface TicketCase {
  em: EntityManager;
  change: Change;
  ticket: TicketRow;
  life: TicketLife;
  /** What its clocks run by; null: nothing is promised. */
  inForce: TermsInForce | null;
}

/** What a change does to the clocks and the terms of a ticket. */
export interface Recomputed {
  clocks: Clock[];
  inForce: TermsInForce | null;
  values: Partial<Pick<TicketRow, 'slaPolicyId' | 'slaPolicyVersion' | 'slaTerms'>>;
}

/** Reads the clocks of a locked ticket, and what they run by. */
export async function openCase(em: EntityManager, change: Change, ticket: TicketRow): Promise<TicketCase> {
  const life = await readLife(em, ticket);
  return { em, change, ticket, life, inForce: termsOf(ticket, life) };
}

/** The terms that a ticket keeps, with the calendar as it is now. */
function termsOf(ticket: TicketRow, { calendar }: TicketLife): TermsInForce | null {
  const { slaPolicyId: policyId, slaPolicyVersion: policyVersion, slaTerms: terms, priority, status } = ticket;
  if (policyId === null || policyVersion === null || !terms) return null;
  return { policyId, policyVersion, terms, calendar, priority, status };
}

/** What the clocks of a ticket run by from now on: a policy version that was applied to open tickets replaces its terms. */
export function termsInForce({ life: { applied }, inForce }: TicketCase): Pick<Recomputed, 'inForce' | 'values'> {
  if (!inForce || !applied) return { inForce, values: {} };
  const { version, terms, calendar } = applied;
  return {
    inForce: { ...inForce, policyVersion: version, terms, calendar },
    values: { slaPolicyVersion: version, slaTerms: terms },
  };
}

/**
 * Recomputes a ticket by the configuration in force: a calendar that has changed moves its due instants, a policy version
 * that was applied to open tickets replaces its terms. Nothing changes when nothing has.
 */
export async function recomputeTicket(ticketCase: TicketCase): Promise<Recomputed> {
  const { em, change, ticket, life } = ticketCase;
  if (!ticketCase.inForce || !isOpenStage(ticket.stage))
    return { clocks: life.clocks, inForce: ticketCase.inForce, values: {} };
  const { inForce, values } = termsInForce(ticketCase);
  if (!inForce || inForce === ticketCase.inForce) {
    const clocks = life.clocks.map((clock) =>
      inForce ? recompute(clock, inForce, change.at, 'calendar changed') : clock,
    );
    return { clocks, inForce, values };
  }
  const cause = `policy version ${inForce.policyVersion} applied`;
  return {
    clocks: recomputeAll(life, inForce, change, cause, await readOpenPromises(em, ticket)),
    inForce,
    values,
  };
}

/** A case as it goes on by the configuration in force. */
export function withRecomputed(ticketCase: TicketCase, { clocks, inForce }: Recomputed): TicketCase {
  return { ...ticketCase, inForce, life: { ...ticketCase.life, clocks } };
}

/** Computes every open clock anew by other terms or another priority, and begins or ends those that this means. */
export function recomputeAll(
  life: TicketLife,
  by: TermsInForce,
  { at }: Pick<Change, 'at'>,
  cause: string,
  promises: OpenPromises,
): Clock[] {
  return reconcile(life.clocks, promises, by, { at, cause }, clockNumbers(life));
}

/** The clocks of a case with some of the open ones changed. */
export function withClocks(
  { life, inForce }: TicketCase,
  alter: (clock: Clock, inForce: TermsInForce) => Clock,
  targets?: readonly SlaTarget[],
): Clock[] {
  if (!inForce) return life.clocks;
  return life.clocks.map((clock) =>
    clock.endedAt === null && (!targets || targets.includes(clock.target)) ? alter(clock, inForce) : clock,
  );
}
