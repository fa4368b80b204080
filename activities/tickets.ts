import type { EntityManager } from '@mikro-orm/postgresql';
import type { Actor } from '../db/access/actor.ts';
import { storeAnswer } from '../db/automation/answers.queries.ts';
import { type Database, inOrganization } from '../db/database.ts';
import type { Change } from '../db/model/changes.ts';
import { Problem } from '../db/model/problem.ts';
import { lockOpening } from '../db/tickets/opening.queries.ts';
import { findTicket, lockTicket, ticketAnswer, type TicketRow } from '../db/tickets/ticket-state.queries.ts';
import type { AppliedMessage } from '../workflows/processes/envelope.ts';
import { stageRefusal } from '../workflows/processes/messages.ts';
import { ticketProcess } from '../workflows/tickets/messages.ts';
import { receivedMessage } from './received-message.ts';
import { applyToTicket } from './tickets/messages.ts';
import { open } from './tickets/opening.ts';
import { passOn, replan } from './tickets/replanning.ts';
import { plan, type Saved } from './tickets/save.ts';
import { stateOf } from './tickets/state.ts';
import { takeStep } from './tickets/steps.ts';
import { openCase, type TicketCase } from './tickets/ticket-case.ts';
import type { TicketActivities, TicketRef } from './tickets.types.ts';

/** The effects of the ticket process on rows (DOMAIN, process 6), each in one transaction. */
export function createTicketActivities({ database }: { database: Database }): TicketActivities {
  const onLocked = (
    { organizationId, ticketId }: TicketRef,
    work: (em: EntityManager, ticket: TicketRow) => Promise<Saved>,
    others: readonly string[] = [],
  ) =>
    inOrganization(database, organizationId, async (em) => {
      // Always in one order: of two tickets that are merged into each other at once, one comes first.
      for (const id of [ticketId, ...others].toSorted()) await lockTicket(em, id);
      const ticket = await findTicket(em, ticketId);
      if (!ticket) throw new Problem('not_found', `There is no ticket ${ticketId}.`);
      return stateOf(await work(em, ticket));
    });

  return {
    decideTicket: ({ organizationId, ticketId, at }) =>
      inOrganization(database, organizationId, async (em) => {
        const opening = await lockOpening(em, organizationId, ticketId);
        const opened = opening && (await open(em, opening, new Date(at)));
        if (opened) return stateOf(opened);
        const ticket = await findTicket(em, ticketId);
        if (!ticket) throw new Problem('not_found', `The command ledger has no opening for ticket ${ticketId}.`);
        return stateOf(unchanged(await openCase(em, byProcess({ organizationId, ticketId }, new Date(at)), ticket)));
      }),

    applyTicketMessage: ({ message, ...ref }) =>
      onLocked(ref, (em, ticket) => applyOnce(em, ref, ticket, message), mergedWith(message)),

    takeTicketStep: ({ organizationId, ticketId, ...due }) =>
      onLocked({ organizationId, ticketId }, async (em, ticket) => {
        const change = byProcess({ organizationId, ticketId }, new Date(due.detectedAt));
        const ticketCase = await openCase(em, change, ticket);
        return ticket.deletedAt === null ? takeStep(ticketCase, due) : unchanged(ticketCase);
      }),

    replanTicket: ({ at, isFactChange, freedUserId, ...ref }) =>
      onLocked(ref, async (em, ticket) => {
        const ticketCase = await openCase(em, byProcess(ref, new Date(at)), ticket);
        const { round } = ticket;
        const saved = ticket.deletedAt === null ? await replan(ticketCase, isFactChange) : unchanged(ticketCase);
        if (freedUserId !== undefined) await passOn(ticketCase, round, freedUserId);
        return saved;
      }),
  };
}

/** The other ticket that a message is about, to be locked with this one. */
function mergedWith({ name, payload: { intoTicketId } }: AppliedMessage): string[] {
  return name === 'merge' && typeof intoTicketId === 'string' ? [intoTicketId.toLowerCase()] : [];
}

function unchanged({ ticket, life, inForce }: TicketCase): Saved {
  return { ticket, clocks: life.clocks, next: plan(ticket, life.clocks, inForce, life.taken, life.ended).next };
}

/** A message whose command has an answer, or whose key is noted, was applied before: the ticket as it is. */
async function applyOnce(
  em: EntityManager,
  { organizationId }: TicketRef,
  ticket: TicketRow,
  message: AppliedMessage,
): Promise<Saved> {
  const { name } = message;
  const received = await receivedMessage(em, ticketProcess, { organizationId, subjectId: ticket.id }, message);
  const { change, payload, isRepeated } = received;
  const ticketCase = await openCase(em, change, ticket);
  if (isRepeated) return unchanged(ticketCase);
  // What a customer wrote was accepted, maybe for another ticket that was merged into this one: it is not lost with it.
  if (ticket.deletedAt !== null && name !== 'customerReply')
    throw new Problem('not_found', `There is no ticket ${ticket.id}.`);
  const refusal = stageRefusal(ticketProcess, name, ticket.stage);
  if (refusal) throw new Problem(refusal.code, refusal.message, refusal.errors);
  const after = await applyToTicket(ticketCase, name, payload);
  if (change.commandId)
    await storeAnswer(em, change.commandId, 200, await ticketAnswer(em, change.actor, after.ticket));
  return after;
}

function byProcess({ organizationId, ticketId }: TicketRef, at: Date): Change {
  const actor: Actor = { kind: 'process', organizationId, process: ticketProcess.name, recordId: ticketId };
  return { organizationId, actor, at, subjectType: 'ticket', subjectId: ticketId, commandId: null };
}
