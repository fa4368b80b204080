import { v7 as uuidv7 } from 'uuid';
import { Merge } from '../../db/governance/merge.ts';
import { baseColumns, type Change, timelineRow } from '../../db/model/changes.ts';
import { Problem } from '../../db/model/problem.ts';
import type { Insertion, Statement } from '../../db/model/set-based.ts';
import { lockTicket, type TicketRow } from '../../db/tickets/ticket-state.queries.ts';
import { cancel } from '../../workflows/tickets/clocks.ts';
import { finalTicketStages } from '../../workflows/tickets/policy.ts';
import { save, type Saved } from './save.ts';
import { type TicketCase, withClocks } from './ticket-case.ts';

/**
 * Merges a ticket into another one: its conversation moves, its clocks are cancelled, its process ends, and the other's
 * hears of it. Who asked stays on record with the merge. Problem `rule_violation` for a ticket that cannot take it.
 */
export async function mergeInto(ticketCase: TicketCase, { intoTicketId }: { intoTicketId: string }): Promise<Saved> {
  const { em, change, ticket } = ticketCase;
  const { at } = change;
  const survivor = intoTicketId === ticket.id ? null : await lockTicket(em, intoTicketId);
  const isOver = (row: TicketRow) => finalTicketStages.some((final) => final === row.stage);
  if (!survivor || survivor.deletedAt !== null || isOver(survivor)) {
    const message =
      intoTicketId === ticket.id
        ? 'is the ticket itself'
        : survivor && survivor.deletedAt === null
          ? `is ${survivor.stage}`
          : 'is not a ticket of this organisation';
    throw new Problem('rule_violation', 'The ticket cannot be merged into that one; see errors.', [
      { path: 'intoTicketId', message },
    ]);
  }
  return save(ticketCase, {
    told: { kind: 'ticket.merged', summary: `merged into ticket #${survivor.number}`, details: { intoTicketId } },
    values: { stage: 'merged', status: 'merged', mergedIntoTicketId: intoTicketId, closedAt: at, routeAgainAt: null },
    clocks: withClocks(ticketCase, (clock, by) => cancel(clock, by, at, `merged into ticket #${survivor.number}`)),
    rows: [
      mergeRow(change, ticket, intoTicketId),
      timelineRow(
        { ...change, subjectId: intoTicketId },
        'ticket.absorbed',
        `ticket #${ticket.number} was merged into this one`,
        {
          ticketId: ticket.id,
        },
      ),
    ],
    statements: conversationMoved(change, ticket.id, intoTicketId),
  });
}

function mergeRow(
  change: Change,
  { id, number, requesterPersonId, subject }: TicketRow,
  survivorId: string,
): Insertion {
  const evidence = { rule: 'by command', number, subject, requesterPersonId };
  const row = { subjectType: 'ticket', survivorId, mergedId: id, evidence, mergedAt: change.at, undoneAt: null };
  return { into: Merge, rows: [{ id: uuidv7(), ...baseColumns(change), ...row }] };
}

/** Moves what was said to another ticket; a mail that both have been sent stays where it was first. */
function conversationMoved({ at, organizationId }: Change, from: string, into: string): Statement[] {
  const moved = (table: string, unless = '', also: readonly string[] = []) => ({
    sql: `update crm_core.${table} m set ticket_id = ?, updated_at = ?, version = m.version + 1
      where m.organization_id = ? and m.ticket_id = ? and m.deleted_at is null ${unless} returning 1`,
    parameters: [into, at, organizationId, from, ...also],
  });
  const unlessKnown = `and not (m.message_id is not null and exists (select from crm_core.crm_conversation_messages o
    where o.organization_id = m.organization_id and o.ticket_id = ? and o.message_id = m.message_id and o.deleted_at is null))`;
  return [
    moved('crm_conversations'),
    moved('crm_conversation_messages', unlessKnown, [into]),
    moved('crm_attachments'),
  ];
}
