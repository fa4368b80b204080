import { createHash } from 'node:crypto';
import PostalMime, { type Attachment, type Email } from 'postal-mime';
import { emailSchema } from '../../db/model/formats.ts';
import { cleanHtml, htmlText } from '../../db/model/html.ts';
import { Problem } from '../../db/model/problem.ts';
import { type AutomaticCause, automaticCause } from '../../workflows/tickets/mail/automatic-mail.ts';
import { type Bounce, bounceIn } from '../../workflows/tickets/mail/bounces.ts';
import { cleanLine, cleanText } from '../../workflows/tickets/mail/clean-text.ts';
import type { InboundMail, MailAttachment } from '../../workflows/tickets/mail/inbound-mail.ts';
import { withoutHistory } from '../../workflows/tickets/mail/quoted-history.ts';
import { messageIdsIn } from '../../workflows/tickets/mail/threads.ts';
import { excessOf } from './excess.ts';

/** A mail as it was read: what is kept of it, and what only decides where it goes. */
export interface ReadMail {
  mail: InboundMail;
  /** Why a machine seems to have sent it; null for a person. Our own mail is known where the organisation is. */
  cause: AutomaticCause | null;
  /** The replies that it says were not delivered. */
  bounce: Bounce | null;
  /** Mailboxes that it was delivered to, the surest first: the envelope's as relays note it, then `To` and `Cc`. */
  recipients: string[];
}

const longestText = 20_000;
/** With its history, which goes. */
const longestRead = 500_000;
const mostAttachments = 100;
const longestPath = 2_000;
const longestFileName = 255;
const mostRecipients = 100;
const longestStatus = 50_000;
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
  const address = mailboxOf(parsed)?.address ?? '';
  const cause = automaticCause({ fields: parsed.headers, from: address });
  const mail: InboundMail = {
    messageId: messageIdOf(valuesOf('message-id')) ?? `${sha256(source)}@unnamed`,
    inReplyTo: messageIdsIn(parsed.inReplyTo)[0] ?? null,
    references: messageIdsIn(parsed.references).slice(-50),
    // Nobody answers a machine, which may write from anywhere.
    from: cause === null ? senderOf(parsed) : { address: cleanLine(address, 320), name: '' },
    to: addresses(parsed.to),
    cc: addresses(parsed.cc),
    subject: cleanLine(parsed.subject ?? '', 300),
    text: textOf(parsed),
    html: cleanHtml(parsed.html ?? ''),
    attachments: parsed.attachments.slice(0, mostAttachments).map(describe),
    attachmentCount: parsed.attachments.length,
  };
  const envelope = ['delivered-to', 'x-original-to', 'envelope-to'].flatMap(valuesOf).map((value) => value.trim());
  const recipients = [...envelope.map((value) => value.replace(/^<(.*)>$/, '$1')), ...mail.to, ...mail.cc];
  return {
    mail,
    cause,
    bounce: cause === null ? null : bounceIn(machineMail(parsed, address, source)),
    recipients: [...new Set(recipients)].slice(0, mostRecipients),
  };
}

/** What may be a bounce: its parts as they came, and as they were decoded. */
function machineMail({ headers, subject = '', text = '', attachments }: Email, from: string, source: Buffer) {
  return {
    fields: headers,
    from,
    subject,
    text: `${text}\n${source.toString('latin1')}`,
    deliveryStatus: attachments
      .filter(({ mimeType }) => mimeType === 'message/delivery-status')
      .map(({ content }) => Buffer.from(bytesOf(content)).toString('utf8').slice(0, longestStatus)),
  };
}

/** The Message-ID of a mail, also without the angle brackets that it should have. */
function messageIdOf(values: readonly string[]): string | null {
  const bare = values.map((value) => value.trim()).find((value) => /^[!-;=?A-~]{1,249}@[!-;=?A-~]{1,250}$/.test(value));
  return messageIdsIn(values.join(' '))[0] ?? bare ?? null;
}

function mailboxOf({ from }: Email) {
  return from?.group ? from.group[0] : from;
}

function senderOf(parsed: Email): InboundMail['from'] {
  const mailbox = mailboxOf(parsed);
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

function describe({ filename, mimeType, disposition, related, content }: Attachment): MailAttachment {
  const bytes = bytesOf(content);
  const isMediaType = /^[a-z0-9!#$&^_.+-]{1,100}\/[a-z0-9!#$&^_.+-]{1,100}$/.test(mimeType);
  return {
    fileName: fileNameOf(filename ?? ''),
    mediaType: isMediaType ? mimeType : 'application/octet-stream',
    bytes: bytes.byteLength,
    sha256: sha256(bytes),
    inline: related === true || disposition === 'inline',
  };
}

/** The last part of a path that is a name, since whoever saves the file by it means no other folder. */
function fileNameOf(path: string): string {
  const parts = cleanLine(path.slice(-longestPath), longestPath).split(/[/\\]/);
  return cleanLine(parts.findLast((part) => !/^[ .]*$/.test(part)) ?? '', longestFileName) || 'unnamed';
}

const bytesOf = (content: Attachment['content']): Uint8Array =>
  typeof content === 'string' ? Buffer.from(content) : new Uint8Array(content);
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
