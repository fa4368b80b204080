import { z } from 'zod';
import { automaticCauses } from '../../workflows/tickets/mail/automatic-mail.ts';
import { mailLimitBytes } from '../../workflows/tickets/mail/inbound-mail.ts';
import { jsonSchema } from '../json-schema.ts';
import type { NamedSchema, SignedRoute } from '../route.ts';
import { mailOutcomes, type ReceiveMail } from './inbound.ts';

const answer: NamedSchema = {
  name: 'InboundMailAnswer',
  schema: jsonSchema(
    z.object({
      outcome: z.enum(mailOutcomes).describe('`ignored`: a machine wrote it, nothing was written.'),
      ticketId: z.uuid().optional().describe('The ticket that the mail opened or belongs to.'),
      cause: z.enum(automaticCauses).optional().describe('Why it was ignored.'),
    }),
    'output',
  ),
};

/** `POST /events/mail`: where a mail server hands over what comes to a support address; `secret` signs it. */
export function inboundMailRoute(secret: string | undefined, receive: ReceiveMail): SignedRoute {
  return {
    access: 'signed',
    secret,
    whenUnset: 'This installation takes no mail: MAIL_WEBHOOK_SECRET is not set.',
    method: 'post',
    path: '/events/mail',
    operationId: 'receiveMail',
    tag: 'tickets',
    summary: 'Hand over one mail to a support address: a new ticket, or a reply on one',
    description:
      'The organisation is told by `Delivered-To`, `X-Original-To`, `Envelope-To`, `To` or `Cc`; the ticket by `In-Reply-To`, ' +
      '`References`, or the number in the subject with the same sender. A Message-ID counts once, however often it comes. ' +
      'What machines send (RFC 3834) is ignored.',
    body: {
      mediaType: 'message/rfc822',
      limitBytes: mailLimitBytes,
      description: `The mail as it came (RFC 5322), at most ${mailLimitBytes / 1024 / 1024} MiB.`,
      example: [
        'Delivered-To: support@acme.example',
        'From: Ada Lovelace <ada@example.com>',
        'To: support@acme.example',
        'Subject: Printer on fire',
        'Message-ID: <20261121.1@example.com>',
        '',
        'Please help.',
        '',
      ].join('\r\n'),
    },
    problems: ['not_found', 'conflict', 'in_progress', 'illegal_stage', 'rule_violation'],
    answers: {
      200: { description: 'Known already, a reply on a ticket, or ignored', content: answer },
      201: { description: 'A new ticket', content: answer, headers: ['Location'] },
      202: { description: 'Stored; its process takes it as soon as it can', content: answer, headers: ['Location'] },
    },
    handle: receive,
  };
}
