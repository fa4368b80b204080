import { after, type TicketHouse } from './ticket-house.ts';

/** When the tickets of these tests come. */
export const monday = new Date('2026-11-23T09:00:00Z');
/** So many minutes after that. */
export const at = (minutes: number) => after(monday, minutes);
/** How many minutes a wait may last where nobody says more. */
export const twoWeeks = 14 * 24 * 60;

/** A ticket that was answered after five minutes, and waits since the tenth. */
export async function waitingTicket(house: TicketHouse, status = 'waiting_for_customer'): Promise<string> {
  const { ticketId } = await house.open({ priority: 'P1' }, { receivedAt: monday });
  await house.send(ticketId, 'reply', { text: 'Which machine?' }, { receivedAt: at(5) });
  await mailsLeave(house, 5);
  await house.send(ticketId, 'setStatus', { status }, { receivedAt: at(10) });
  return ticketId;
}

/** The mails of replies leave at the minute, as the relay sees to it. */
export async function mailsLeave(house: TicketHouse, minute: number): Promise<void> {
  await house.sql("update crm_core.crm_outbox set delivered_at = ? where kind = 'ticket_reply.created'", [at(minute)]);
  await house.sql(
    "update crm_core.crm_conversation_messages set delivered_at = coalesce(delivered_at, ?) where kind = 'reply'",
    [at(minute)],
  );
}

/** Whom a house has told of what, but of new tickets. */
export const notified = (house: TicketHouse) =>
  house.sql<{ kind: string; user_id: string }>(
    "select kind, user_id from crm_core.crm_notifications where kind <> 'ticket.assigned' order by notification_id",
  );
