import type { EmailStatus } from '../workflows/leads/facts.ts';

/** One mail. `messageId` (`<…@…>`) is fixed by its cause, so that a repetition is recognised as one. */
export interface OutgoingMail {
  readonly to: string;
  readonly subject: string;
  readonly text: string;
  /** The same as clean HTML, where its author gave it a form. */
  readonly html?: string | null;
  readonly messageId: string;
  /** A person's answer on a ticket; left out, a machine wrote the mail, and nobody is to answer. */
  readonly answer?: MailAnswer;
}

/** The place of an answer in its thread (RFC 5322 §3.6.4); Message-IDs without angle brackets. */
export interface MailAnswer {
  /** Short name of the organisation: its support address takes what comes back. */
  readonly organization: string;
  readonly inReplyTo: string | null;
  readonly references: readonly string[];
}

/** The way out for mail. */
export interface Mail {
  /** Resolves once the mail server has taken the mail over. Throws MailRefused when it never will. */
  send(mail: OutgoingMail): Promise<void>;
  close(): void;
}

/** The mail server refuses this recipient or this mail for good (RFC 5321 §4.2.1): sending it again is of no use. */
export class MailRefused extends Error {
  override readonly name = 'MailRefused';
}

/** Whether a domain takes mail. */
export interface MailExchange {
  /** Never throws, and answers within its bound: `unknown` when DNS does not say. */
  lookup(domain: string): Promise<EmailStatus>;
}
