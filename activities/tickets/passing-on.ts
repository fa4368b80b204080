import { v7 as uuidv7 } from 'uuid';
import type { Opening } from '../../db/tickets/opening.queries.ts';
import { ticketProcess } from '../../workflows/tickets/messages.ts';
import { readMail } from './conversation.ts';
import { owedCommand } from './owed-command.ts';
import { save, type Saved } from './save.ts';
import type { TicketCase } from './ticket-case.ts';

const followUpRoute = 'follow-up';

/** What the customer wrote, as a message brings it; a mail lies beside it in the ledger. */
export interface Written {
  messageId?: string | undefined;
  text?: string | undefined;
}

/** A message goes on to another ticket as it was received; `where` tells to which. */
export async function forward(
  ticketCase: TicketCase,
  ticketId: string,
  written: Written,
  where: string,
): Promise<Saved> {
  const { em, change } = ticketCase;
  const mail = await readMail(em, change.commandId);
  const body = { ...written, ...(mail === null ? {} : { mail }) };
  return save(ticketCase, {
    told: { kind: 'ticket.forwarded', summary: `the customer wrote: passed on to ${where}`, details: { ticketId } },
    statements: [
      owedCommand(change, { route: 'forward', key: uuidv7(), message: 'customerReply', recordId: ticketId, body }),
    ],
  });
}

/**
 * Opens a follow-up ticket: its starting command is owed by the ledger from this transaction on, and delivered by the
 * relay. A later message goes on to that, which may be over by then and have a follow-up of its own.
 */
export async function followUp(ticketCase: TicketCase, written: Written): Promise<Saved> {
  const { em, change, ticket } = ticketCase;
  const known = await readFollowUp(ticketCase);
  if (known !== null) return forward(ticketCase, known, written, 'the follow-up ticket');
  const mail = await readMail(em, change.commandId);
  const opening: Opening['body'] = {
    subject: ticket.subject,
    description: written.text ?? null,
    requesterPersonId: ticket.requesterPersonId,
    requester: null,
    accountId: ticket.accountId,
    channel: ticket.channel,
    category: ticket.category,
    priority: ticket.priority,
    skills: ticket.skills,
    followUpOfTicketId: ticket.id,
    messageId: written.messageId,
    ...(mail === null ? {} : { mail }),
  };
  const followUpId = uuidv7();
  const since = ticket.deletedAt === null ? 'the window of reopening' : 'this ticket was deleted';
  return save(ticketCase, {
    told: {
      kind: 'ticket.follow_up',
      summary: `the customer wrote after ${since}: a follow-up ticket is opened`,
      details: { followUpTicketId: followUpId },
    },
    statements: [
      owedCommand(change, {
        route: followUpRoute,
        key: uuidv7(),
        message: ticketProcess.startUpdate,
        recordId: followUpId,
        body: opening,
      }),
    ],
  });
}

/** The follow-up of a ticket, which may still have to be opened; null when there is none, or its opening was refused. */
async function readFollowUp({ em, change: { organizationId }, ticket }: TicketCase): Promise<string | null> {
  const [followUp]: { id: string }[] = await em.execute(
    `select e.details ->> 'followUpTicketId' as id from crm_core.crm_timeline e
     where e.organization_id = ? and e.subject_type = 'ticket' and e.subject_id = ? and e.kind = 'ticket.follow_up'
       and not exists (select from crm_core.crm_commands c
         where c.organization_id = e.organization_id and c.record_id = (e.details ->> 'followUpTicketId')::uuid
           and c.route = ? and c.answer_status >= 400)
     order by e.timeline_id desc limit 1`,
    [organizationId, ticket.id, followUpRoute],
  );
  return followUp?.id ?? null;
}
