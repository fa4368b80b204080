import { z } from 'zod';
import { recordId } from '../processes/record-id.ts';
import { line, prose } from '../processes/text.ts';
import { emailAsWritten } from '../text/email-address.ts';
import { ticketChannels, ticketPriorities } from './policy.ts';

const oneOf = <const V extends readonly [string, ...string[]]>(values: V) =>
  z.enum(values, { error: `must be one of ${values.join(', ')}` });

/** Who asks, when they may not be on record yet: matched by mail, or by phone and name, else made. */
const requesterSchema = z
  .strictObject({
    fullName: line(200, 'Ada Lovelace').optional(),
    email: emailAsWritten().optional(),
    phone: line(40, '+49 30 901820').optional(),
  })
  .refine(({ email, phone }) => email !== undefined || phone !== undefined, {
    path: ['email'],
    error: 'is missing, and so is phone: send at least one of the two, so that the person can be answered',
  })
  .meta({ anyOf: [{ required: ['email'] }, { required: ['phone'] }] });

/** Body of `POST /crm/v1/tickets` (DOMAIN process 6): what is asked, by whom, how urgently. */
export const createTicketBody = z
  .strictObject({
    subject: line(300, 'The invoice shows the wrong address'),
    description: prose(20_000, 'Our office has moved; invoice 4711 still goes to the old one.').optional(),
    requesterPersonId: recordId('Person', 'must be the identifier of a person').optional(),
    requester: requesterSchema.optional(),
    accountId: recordId('Account', 'must be the identifier of an account').optional(),
    channel: oneOf(ticketChannels).default('api'),
    category: line(100, 'billing').optional(),
    priority: oneOf(ticketPriorities).default('P3'),
    skills: z
      .array(line(100, 'billing'), { error: 'must be a list of skills' })
      .max(20, { error: 'must hold at most 20 skills' })
      .default([]),
  })
  .refine(({ requesterPersonId, requester }) => (requesterPersonId === undefined) !== (requester === undefined), {
    path: ['requester'],
    error: 'or requesterPersonId is needed, and not both: send the person by identifier, or mail or phone of a person',
  })
  .meta({ oneOf: [{ required: ['requesterPersonId'] }, { required: ['requester'] }] });

export type CreateTicketBody = z.output<typeof createTicketBody>;
