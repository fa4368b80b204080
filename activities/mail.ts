import { createTransport } from 'nodemailer';
import { supportAddressOf } from '../workflows/tickets/mail/support-address.ts';
import { type Mail, type MailAnswer, MailRefused } from './ports.ts';

export interface SmtpOptions {
  /** `smtp://user:password@host:port` or `smtps://…`. */
  url: string;
  /** Sender, such as `Durable CRM <crm@example.com>`. */
  from: string;
  /** Template of the support addresses, such as `support@{organization}.example`. */
  supportAddress: string;
}

/** Sends through an SMTP server, over a few connections that are kept open. */
export function createMail({ url, from, supportAddress }: SmtpOptions): Mail {
  const transport = createTransport({
    url,
    pool: true,
    maxConnections: 3,
    connectionTimeout: 5_000,
    greetingTimeout: 5_000,
    socketTimeout: 10_000,
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  return {
    async send({ to, subject, text, html, messageId, answer }) {
      try {
        await transport.sendMail({
          from,
          to: { name: '', address: to },
          subject,
          text,
          ...(html ? { html } : {}),
          messageId,
          ...(answer ? threadOf(supportAddress, answer) : notification),
        });
      } catch (error) {
        throw refusal(error) ?? error;
      }
    },
    close: () => transport.close(),
  };
}

/** No out-of-office note comes back to what a machine wrote (RFC 3834 §5). */
const notification = { headers: { 'Auto-Submitted': 'auto-generated' } };

function threadOf(supportAddress: string, { organization, inReplyTo, references }: MailAnswer) {
  return {
    replyTo: { name: '', address: supportAddressOf(supportAddress, organization) },
    ...(inReplyTo === null ? {} : { inReplyTo: `<${inReplyTo}>` }),
    references: references.map((id) => `<${id}>`),
  };
}

/** No address at all, or a 5xx answer to it or to the text; one to our login or sender is for the operator to mend. */
function refusal(error: unknown): MailRefused | null {
  const { code, responseCode, command } = error as { code?: string; responseCode?: number; command?: string };
  if (code === 'EENVELOPE' && command === 'API') return new MailRefused('The recipient is not a mail address');
  const isFinal = responseCode !== undefined && responseCode >= 500 && (command === 'RCPT TO' || command === 'DATA');
  return isFinal ? new MailRefused(`The mail server refused with ${responseCode} at ${command}`) : null;
}
