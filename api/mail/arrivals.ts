import { addressParser } from 'postal-mime';
import { Problem } from '../../db/model/problem.ts';
import { slugOf } from '../../workflows/tickets/mail/support-address.ts';
import { RateLimit, type RateLimitOptions } from '../rate-limit.ts';

/** Mails from one address to one organisation within an hour; more are put off: two machines answer each other. */
export const mostPerHour = 30;
const senderLimit: RateLimitOptions = { perSecond: mostPerHour / 3_600, burst: mostPerHour };
/** Mails to one organisation, whoever sends them. */
export const organizationLimit: RateLimitOptions = { perSecond: 1, burst: 1_000 };

const longestHeader = 256 * 1024;
const longestField = 2_000;
// The surest first, as reading a mail has them.
const recipientFields = ['delivered-to', 'x-original-to', 'envelope-to', 'to', 'cc'];

/**
 * Counts each mail as it arrives, before anything of it is read, whatever becomes of it: in memory, by sender and by
 * support address as its header names them. Throws Problem `rate_limited`; a mail that comes again later is let in.
 */
export function createArrivals(supportAddress: string): (source: Buffer) => void {
  const bySender = new RateLimit(senderLimit);
  const byOrganization = new RateLimit(organizationLimit);
  return (source) => {
    const fields = fieldsOf(source);
    const recipients = recipientFields.flatMap((name) => addressesIn(fields.get(name)));
    const slug = recipients.map((address) => slugOf(supportAddress, address)).find((each) => each !== null) ?? '';
    const [sender = ''] = addressesIn(fields.get('from'));
    take(bySender, `${slug} ${sender.toLowerCase()}`, `${mostPerHour} mails of one sender within an hour`);
    take(byOrganization, slug, `${organizationLimit.burst} mails to one address within a short time`);
  };
}

function take(limit: RateLimit, key: string, tooMany: string): void {
  const { admitted, retryAfterSeconds } = limit.admit(key);
  if (!admitted)
    throw new Problem('rate_limited', `More than ${tooMany}: try again later.`, [], {
      retryAfterSeconds,
    });
}

/** The first of each field of a header that names senders and recipients, as far as an honest one goes. */
function fieldsOf(source: Buffer): ReadonlyMap<string, string> {
  const start = source.subarray(0, longestHeader).toString('latin1');
  const [header = ''] = start.split(/\r?\n\r?\n/, 1);
  const fields = new Map<string, string>();
  for (const line of header.replaceAll(/\r?\n(?=[ \t])/g, '').split('\n')) {
    const name = line.slice(0, line.indexOf(':')).trim().toLowerCase();
    if ((name === 'from' || recipientFields.includes(name)) && !fields.has(name))
      fields.set(name, line.slice(line.indexOf(':') + 1, longestField).trim());
  }
  return fields;
}

function addressesIn(field: string | undefined): string[] {
  return addressParser(field ?? '', { flatten: true }).flatMap(({ address }) => address || []);
}
