import { singleSpaced, trimmed } from '../processes/text.ts';
import { personNameKey } from '../leads/name-keys.ts';
import { normaliseEmail, normalisePhone } from '../leads/normalisation.ts';
import type { CreateTicketBody } from './create.ts';
import type { TicketChannel, TicketPriority } from './policy.ts';

/** Who asks, in one spelling: mail in lower case, phone in E.164, the name folded for comparison beside it. */
export interface Requester {
  fullName: string;
  normalizedName: string;
  email: string | null;
  phone: string | null;
}

/** An opening as the command ledger keeps it. */
export interface StoredOpening {
  subject: string;
  description: string | null;
  /** A person on record; null: `requester` says who. */
  requesterPersonId: string | null;
  requester: Requester | null;
  accountId: string | null;
  channel: TicketChannel;
  category: string | null;
  priority: TicketPriority;
  skills: string[];
  /** The closed ticket that the customer answered too late to reopen it. */
  followUpOfTicketId: string | null;
}

/** An opening in one spelling, or what is wrong with it. */
export interface ReadOpening {
  opening: StoredOpening;
  errors: { path: string; message: string }[];
}

const oneLine = (text: string) => singleSpaced(text.normalize('NFC'));

/** Makes an opening ready for the ledger; phones without a country code are read as of `defaultRegion` (ISO 3166-1). */
export function readOpening(body: CreateTicketBody, { defaultRegion }: { defaultRegion: string }): ReadOpening {
  const errors: ReadOpening['errors'] = [];
  return {
    opening: {
      subject: oneLine(body.subject),
      description:
        body.description === undefined ? null : trimmed(body.description.normalize('NFC').replace(/\r\n?/g, '\n')),
      requesterPersonId: body.requesterPersonId ?? null,
      requester: body.requester ? readRequester(body.requester, defaultRegion, errors) : null,
      accountId: body.accountId ?? null,
      channel: body.channel,
      category: body.category === undefined ? null : oneLine(body.category),
      priority: body.priority,
      skills: [...new Set(body.skills.map(oneLine))],
      followUpOfTicketId: null,
    },
    errors,
  };
}

function readRequester(
  { fullName, email, phone }: NonNullable<CreateTicketBody['requester']>,
  defaultRegion: string,
  errors: ReadOpening['errors'],
): Requester {
  const address = email === undefined ? null : normaliseEmail(email);
  if (email !== undefined && !address)
    errors.push({
      path: 'requester.email',
      message: 'must be an e-mail address whose domain can exist, such as ada@example.com',
    });
  const number = phone === undefined ? null : (normalisePhone(phone, [defaultRegion])?.phone ?? null);
  if (phone !== undefined && number === null)
    errors.push({
      path: 'requester.phone',
      message: `is no phone number in ${defaultRegion}; write it with its country code, such as +49 30 901820`,
    });
  // Whoever gave no name is called by what they gave.
  const name = fullName === undefined ? (address?.split('@')[0] ?? number ?? '') : oneLine(fullName);
  return { fullName: name, normalizedName: personNameKey(name), email: address ?? null, phone: number };
}
