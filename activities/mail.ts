import { createTransport } from 'nodemailer';
import { type Mail, MailRefused } from './ports.ts';

export interface SmtpOptions {
  /** `smtp://user:password@host:port` or `smtps://…`. */
  url: string;
  /** Sender, such as `Durable CRM <crm@example.com>`. */
  from: string;
}

/** Sends through an SMTP server, over a few connections that are kept open. */
export function createMail({ url, from }: SmtpOptions): Mail {
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
    async send({ to, subject, text, messageId }) {
      try {
        await transport.sendMail({
          from,
          to: { name: '', address: to },
          subject,
          text,
          messageId,
          // No out-of-office note comes back (RFC 3834 §5).
          headers: { 'Auto-Submitted': 'auto-generated' },
        });
      } catch (error) {
        throw refusal(error) ?? error;
      }
    },
    close: () => transport.close(),
  };
}

/** No address at all, or a 5xx answer to it or to the text; one to our login or sender is for the operator to mend. */
function refusal(error: unknown): MailRefused | null {
  const { code, responseCode, command } = error as { code?: string; responseCode?: number; command?: string };
  if (code === 'EENVELOPE' && command === 'API') return new MailRefused('The recipient is not a mail address');
  const isFinal = responseCode !== undefined && responseCode >= 500 && (command === 'RCPT TO' || command === 'DATA');
  return isFinal ? new MailRefused(`The mail server refused with ${responseCode} at ${command}`) : null;
}
