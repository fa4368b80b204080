/** The whole of a mail with its attachments; mail servers announce the same limit. */
export const mailLimitBytes = 10 * 1024 * 1024;

/** A file that came with a mail: what it is, not what it holds. */
export interface MailAttachment {
  fileName: string;
  mediaType: string;
  bytes: number;
  sha256: string;
  /** Shown within the text, such as a logo. */
  inline: boolean;
}

/** A mail that came in, read and cleaned: as the command ledger keeps it until it is a message. */
export interface InboundMail {
  /** Without angle brackets; made from the content of a mail that has none, so that a repetition is known as one. */
  messageId: string;
  inReplyTo: string | null;
  references: string[];
  from: { name: string; address: string };
  to: string[];
  cc: string[];
  /** One line; empty when the mail has none. */
  subject: string;
  /** What is new in it, without the history it quotes. */
  text: string;
  /** The whole of it, cleaned; null when there is none, or too much. */
  html: string | null;
  /** At most a hundred are told of; `attachmentCount` counts all. */
  attachments: MailAttachment[];
  attachmentCount: number;
}
