import { createHash } from 'node:crypto';
import PostalMime, { type Attachment, type Email } from 'postal-mime';
import { emailSchema } from '../../db/model/formats.ts';
import { htmlText, longestHtml } from '../../db/model/html.ts';
import { Problem } from '../../db/model/problem.ts';
import type { SenderMarks } from '../../workflows/tickets/mail/automatic-mail.ts';
import { cleanLine, cleanText } from '../../workflows/tickets/mail/clean-text.ts';
import type { InboundMail, MailAttachment } from '../../workflows/tickets/mail/inbound-mail.ts';
import { withoutHistory } from '../../workflows/tickets/mail/quoted-history.ts';
import { messageIdsIn } from '../../workflows/tickets/mail/threads.ts';
import { excessOf } from './excess.ts';

/** A mail as it was read: what is kept of it, and what only decides where it goes. */
export interface ReadMail {
  mail: InboundMail;
  marks: Omit<SenderMarks, 'isOwn'>;
  /** Mailboxes that it was delivered to, the surest first: the envelope's as relays note it, then `To` and `Cc`. */
  recipients: string[];
}

const longestText = 20_000;
/** With its history, which goes. */
const longestRead = 500_000;
const mostAttachments = 100;
const mostRecipients = 100;
const limits = { maxNestingDepth: 30, maxHeadersSize: 256 * 1024, maxRfc822NestingDepth: 3 };
const placeholder = 'The mail has no text.';

/**
 * Reads a mail (RFC 5322, MIME), whatever state it is in. Throws Problem `malformed` for what no reader makes sense of
 * (parts nested too deep or too many, a header without end), `invalid` for a mail without a sender who could be answered.
 */
export async function readMail(source: Buffer): Promise<ReadMail> {
  const excess = excessOf(source);
  if (excess) throw new Problem('malformed', `The mail cannot be read: it has ${excess}.`);
  const parsed = await PostalMime.parse(source, limits).catch((cause: unknown) => {
    throw new Problem('malformed', 'The mail cannot be read: its parts or its header go beyond what is taken.', [], {
      cause,
    });
  });
  const valuesOf = (name: string) => parsed.headers.filter(({ key }) => key === name).map(({ value }) => value);
  const from = senderOf(parsed);
  const mail: InboundMail = {
    messageId: messageIdsIn(parsed.messageId)[0] ?? `${sha256(source)}@unnamed`,
    inReplyTo: messageIdsIn(parsed.inReplyTo)[0] ?? null,
    references: messageIdsIn(parsed.references).slice(-50),
    from,
    to: addresses(parsed.to),
    cc: addresses(parsed.cc),
    subject: cleanLine(parsed.subject ?? '', 300),
    text: textOf(parsed),
    html: htmlOf(parsed),
    attachments: parsed.attachments.slice(0, mostAttachments).map(describe),
    attachmentCount: parsed.attachments.length,
  };
  const envelope = ['delivered-to', 'x-original-to', 'envelope-to'].flatMap(valuesOf).map((value) => value.trim());
  return {
    mail,
    marks: {
      autoSubmitted: valuesOf('auto-submitted'),
      precedence: valuesOf('precedence'),
      returnPath: valuesOf('return-path'),
      contentType: valuesOf('content-type'),
      from: from.address,
    },
    recipients: [...envelope.map((value) => value.replace(/^<(.*)>$/, '$1')), ...mail.to, ...mail.cc],
  };
}

function senderOf({ from }: Email): InboundMail['from'] {
  const mailbox = from?.group ? from.group[0] : from;
  const address = emailSchema.safeParse(mailbox?.address ?? '');
  if (!address.success) {
    const errors = [{ path: 'From', message: 'must name one mail address' }];
    throw new Problem('invalid', 'The mail has no sender who could be answered; see errors.', errors);
  }
  return { address: address.data, name: cleanLine(mailbox?.name ?? '', 200) };
}

function addresses(list: Email['to']): string[] {
  const mailboxes = (list ?? []).flatMap((each) => each.group ?? [each]).slice(0, mostRecipients);
  return mailboxes.flatMap(({ address }) => emailSchema.safeParse(address).data ?? []);
}

/** The plain text, or that of the HTML where there is none; never empty, since a message always says something. */
function textOf({ text, html }: Email): string {
  const plain =
    cleanText(text ?? '', longestRead) || (html === undefined ? '' : cleanText(htmlText(html), longestRead));
  return cleanText(withoutHistory(plain), longestText) || placeholder;
}

function htmlOf({ html }: Email): string | null {
  if (html === undefined || html.length > longestHtml) return null;
  return html.replaceAll('\u0000', '').toWellFormed();
}

function describe({ filename, mimeType, disposition, related, content }: Attachment): MailAttachment {
  const bytes = typeof content === 'string' ? Buffer.from(content) : new Uint8Array(content);
  const isMediaType = /^[a-z0-9!#$&^_.+-]{1,100}\/[a-z0-9!#$&^_.+-]{1,100}$/.test(mimeType);
  return {
    fileName: cleanLine(filename ?? '', 255) || 'unnamed',
    mediaType: isMediaType ? mimeType : 'application/octet-stream',
    bytes: bytes.byteLength,
    sha256: sha256(bytes),
    inline: related === true || disposition === 'inline',
  };
}

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
