import { createHash } from 'node:crypto';
import { v7 as uuidv7 } from 'uuid';
import type { WriteContext } from '../../db/records.ts';
import type { Database } from '../../db/database.ts';
import { Problem } from '../../db/model/problem.ts';
import { parseOrRefuse } from '../../db/model/schemas.ts';
import { noteBounce } from '../../db/tickets/bounces.queries.ts';
import { findOrganizationOfSlug, placeMail } from '../../db/tickets/mail.queries.ts';
import { createTicketBody } from '../../workflows/tickets/create.ts';
import type { AutomaticCause } from '../../workflows/tickets/mail/automatic-mail.ts';
import type { InboundMail } from '../../workflows/tickets/mail/inbound-mail.ts';
import { slugOf } from '../../workflows/tickets/mail/support-address.ts';
import { organizationOfReply, ticketNumberIn } from '../../workflows/tickets/mail/threads.ts';
import { ticketProcess } from '../../workflows/tickets/messages.ts';
import { readOpening, type StoredOpening } from '../../workflows/tickets/opening.ts';
import type { RequireFeature } from '../feature-flags.ts';
import type { CheckedRequest, Dispatcher } from '../processes/dispatch.ts';
import type { ApiAnswer, SignedRequest } from '../route.ts';
import { createArrivals, mostPerHour } from './arrivals.ts';
import type { ReadMail } from './message.ts';
import type { MailReader } from './reader.ts';

export interface InboundMailSettings {
  /** What the mail server signs with; undefined: this installation takes no mail. */
  secret: string | undefined;
  /** Template of the support addresses, such as `support@{organization}.example`. */
  supportAddress: string;
  /** Finds the organisation of an address, before which nothing of an organisation can be seen. */
  relay: Database;
  reader: MailReader;
}

interface Parts {
  database: Database;
  dispatcher: Dispatcher;
  requireFeature: RequireFeature;
}

export const mailOutcomes = ['opened', 'replied', 'known', 'bounced', 'ignored'] as const;

/** Takes one mail. Throws Problems: not readable, nobody's address, too many from one sender, refused by the process. */
export type ReceiveMail = (request: SignedRequest) => Promise<ApiAnswer>;

const principal = 'mail';
const route = 'POST /events/mail';

/** Makes the receiver of mail: each becomes a command in the ledger, keyed by its Message-ID, or nothing at all. */
export function createInboundMail(
  { relay, supportAddress, reader }: InboundMailSettings,
  { database, dispatcher, requireFeature }: Parts,
): ReceiveMail {
  /** The organisation whose support address this is. */
  async function organizationAt(address: string): Promise<string | null> {
    const slug = slugOf(supportAddress, address);
    return slug === null ? null : findOrganizationOfSlug(relay, slug);
  }

  async function organizationOf({ recipients, bounce }: ReadMail): Promise<string> {
    // A bounce goes to whom the mail server takes for the sender, which need not be a support address.
    const [returned] = bounce?.messageIds.flatMap((id) => organizationOfReply(id) ?? []) ?? [];
    if (returned !== undefined) return returned;
    for (const recipient of recipients) {
      const organizationId = await organizationAt(recipient);
      if (organizationId !== null) return organizationId;
    }
    throw new Problem('not_found', 'No organisation has one of the addresses that this mail went to.');
  }

  const admit = createArrivals(supportAddress);

  return async ({ body, receivedAt }) => {
    admit(body);
    const read = await reader.read(body);
    const { mail } = read;
    const organizationId = await organizationOf(read);
    await requireFeature('tickets', organizationId);
    const write = writeOf(organizationId, mail, receivedAt);
    const bounced = read.bounce && (await noteBounce(database, write, read.bounce));
    if (bounced) return { status: 200, body: { outcome: 'bounced', ticketId: bounced.ticketId } };
    const isOwn =
      organizationOfReply(mail.messageId) === organizationId ||
      (await organizationAt(mail.from.address)) === organizationId;
    const cause = isOwn ? 'own_message' : read.cause;
    if (cause) return ignored(cause);
    const answers = [...(mail.inReplyTo ? [mail.inReplyTo] : []), ...mail.references.toReversed()];
    const { knownTicketId, ticket, recentCount } = await placeMail(database, organizationId, {
      messageId: mail.messageId,
      answers,
      number: ticketNumberIn(mail.subject),
      from: mail.from.address,
      receivedAt,
    });
    if (knownTicketId !== null) return { status: 200, body: { outcome: 'known', ticketId: knownTicketId } };
    if (recentCount >= mostPerHour) {
      throw new Problem(
        'rate_limited',
        `More than ${mostPerHour} mails of one sender within an hour: try again later.`,
      );
    }
    const send = (message: string, checked: CheckedRequest) =>
      dispatcher.dispatch(write, {
        process: ticketProcess,
        message,
        check: () => Promise.resolve(checked),
        respondAsync: false,
      });
    if (ticket) {
      const { id: recordId, ...present } = ticket;
      const body = { messageId: mail.messageId, text: mail.text, mail };
      return outcomeOf('replied', await send('customerReply', { recordId, body, present }));
    }
    const present = { status: 'open', stage: 'received' };
    const opening = { recordId: uuidv7(), body: openingOf(mail), present };
    return outcomeOf('opened', await send(ticketProcess.startUpdate, opening));
  };
}

/** What a mail opens: a ticket as a form would. The mail itself stays beside it in the ledger, for the conversation. */
function openingOf(mail: InboundMail): StoredOpening & { mail: InboundMail } {
  const { name, address } = mail.from;
  const body = {
    subject: mail.subject || 'No subject',
    description: mail.text,
    requester: { email: address, ...(name === '' ? {} : { fullName: name }) },
    channel: 'email',
  };
  // No region: a mail says nothing of phones.
  const { opening, errors } = readOpening(parseOrRefuse(createTicketBody, body, 'This mail'), { defaultRegion: 'ZZ' });
  if (errors.length > 0) throw new Problem('invalid', 'This mail opens no ticket; see errors.', errors);
  return { ...opening, mail };
}

/** Its Message-ID alone makes a mail this one: another copy of it has other `Received` lines, and is no other mail. */
function writeOf(organizationId: string, { messageId }: InboundMail, receivedAt: Date): WriteContext {
  const hash = createHash('sha256').update(messageId).digest('hex');
  return {
    actor: { kind: 'service', organizationId, clientId: principal, scopes: ['crm:tickets:create'] },
    idempotencyKey: messageId.length <= 255 ? messageId : hash,
    route,
    requestHash: hash,
    receivedAt,
  };
}

function ignored(cause: AutomaticCause): ApiAnswer {
  return { status: 200, body: { outcome: 'ignored', cause } };
}

function outcomeOf(outcome: (typeof mailOutcomes)[number], { status, body, headers }: ApiAnswer): ApiAnswer {
  return { status, body: { outcome, ticketId: (body as { id?: string } | undefined)?.id }, headers };
}
