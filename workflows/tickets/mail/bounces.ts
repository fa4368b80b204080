import { cleanLine } from './clean-text.ts';
import { isMailer } from './automatic-mail.ts';
import { messageIdsIn, organizationOfReply } from './threads.ts';

/** What a mail server says of a mail that it could not deliver. */
export interface Bounce {
  /** Message-IDs of replies of this installation that the mail names, in small letters as they were made. */
  messageIds: string[];
  /** In one line, such as `5.1.1; smtp; 550 5.1.1 User unknown`. */
  reason: string;
}

/** A mail that a machine sent, as far as it may be a bounce. */
export interface MachineMail {
  fields: readonly { key: string; value: string }[];
  from: string;
  subject: string;
  /** Of all its parts, the mail that is returned included. */
  text: string;
  /** Its parts of type `message/delivery-status`. */
  deliveryStatus: readonly string[];
}

const longestReason = 300;
const mostNamed = 50;
const named = /\bmessage-id:\s{0,80}(<[^<>\s]{1,200}>)/gi;
const delayed = /\b(delay(ed)?|warning|verzögert|retard)/i;

/**
 * What a machine's mail says of a reply that was not delivered: a delivery status notification (RFC 3464), or what older
 * mail servers write, which return the reply's header. Null for delays and receipts, and when it names no reply: an
 * out-of-office note names one as well, but returns nothing.
 */
export function bounceIn({ fields, from, subject, text, deliveryStatus }: MachineMail): Bounce | null {
  const valuesOf = (name: string) => fields.filter(({ key }) => key === name).map(({ value }) => value);
  const returned = Array.from(text.matchAll(named), ([, id = '']) => id);
  const referred = [...valuesOf('in-reply-to'), ...valuesOf('references'), ...valuesOf('x-original-message-id')];
  const failure = failureIn(deliveryStatus);
  const isOldForm =
    deliveryStatus.length === 0 &&
    (valuesOf('x-failed-recipients').length > 0 || (isMailer(from) && returned.length > 0 && !delayed.test(subject)));
  if (failure === null && !isOldForm) return null;
  const ids = messageIdsIn([...returned, ...referred].join(' '))
    .map((id) => id.toLowerCase())
    .filter((id) => organizationOfReply(id) !== null);
  const messageIds = [...new Set(ids)].slice(0, mostNamed);
  if (messageIds.length === 0) return null;
  return { messageIds, reason: failure ?? cleanLine(subject, longestReason) };
}

/** Why delivery failed for good by a delivery status (RFC 3464 §2.3); null when it did not, or is said to be tried again. */
function failureIn(deliveryStatus: readonly string[]): string | null {
  for (const status of deliveryStatus) {
    // A group of fields for each recipient.
    for (const group of status
      .replaceAll(/\r\n?/g, '\n')
      .replaceAll(/\n[ \t]+/g, ' ')
      .split(/\n{2,}/)) {
      const field = (name: string) => new RegExp(`^${name}:[ \\t]{0,80}(.{1,1000})`, 'im').exec(group)?.[1] ?? '';
      if (!/^failed\b/i.test(field('action').trim())) continue;
      const said = [field('status'), field('diagnostic-code')]
        .map((value) => value.trim())
        .filter(Boolean)
        .join('; ');
      return cleanLine(said, longestReason) || 'failed';
    }
  }
  return null;
}
