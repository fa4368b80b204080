import { buffer } from 'node:stream/consumers';
import { SMTPServer, type SMTPServerDataStream, type SMTPServerSession } from 'smtp-server';
import { mailLimitBytes } from '../workflows/tickets/mail/inbound-mail.ts';
import { signedHeaders } from './signed-headers.ts';

/** A mail server for support addresses: what it accepts was taken by the API. */
export type SupportMailbox = {
  /** `smtp://127.0.0.1:1026`; takes mail from anybody on this machine. */
  smtpUrl: string;
  stop: () => Promise<void>;
};

/** A reply of SMTP (RFC 5321 §4.2) to a mail that was not taken. */
class Refusal extends Error {
  readonly responseCode: number;

  constructor(responseCode: number, message: string) {
    super(message);
    this.responseCode = responseCode;
  }
}

const patienceMilliseconds = 30_000;

/**
 * Starts the mailbox on loopback. Each mail is posted to the webhook of the API (`POST /events/mail`), once for each
 * recipient, with the envelope before it as final delivery notes it (RFC 5321 §4.4, RFC 9228).
 */
export async function startSupportMailbox(options: {
  port: number;
  /** Such as `http://127.0.0.1:3000`. */
  api: string;
  secret: string;
}): Promise<SupportMailbox> {
  const { port, api, secret } = options;

  async function post(mail: Buffer): Promise<void> {
    const answer = await fetch(`${api}/events/mail`, {
      method: 'POST',
      headers: { 'Content-Type': 'message/rfc822', ...signedHeaders(secret, mail, new Date()) },
      body: new Uint8Array(mail),
      signal: AbortSignal.timeout(patienceMilliseconds),
    }).catch((cause: unknown) => {
      throw new Refusal(451, `The API is away (${cause instanceof Error ? cause.name : 'no answer'}); try again later`);
    });
    if (answer.ok) return;
    const { detail } = (await answer.json().catch(() => ({}))) as { detail?: string };
    throw new Refusal(replyTo(answer.status), (detail ?? `The API answered ${answer.status}`).replaceAll(/\s+/g, ' '));
  }

  async function deliver(stream: SMTPServerDataStream, { envelope }: SMTPServerSession): Promise<void> {
    const source = await buffer(stream);
    if (stream.sizeExceeded) throw new Refusal(552, `A mail may hold ${mailLimitBytes} bytes`);
    const sender = envelope.mailFrom ? envelope.mailFrom.address : '';
    for (const { address } of envelope.rcptTo) {
      const noted = `Return-Path: <${oneWord(sender)}>\r\nDelivered-To: ${oneWord(address)}\r\n`;
      await post(Buffer.concat([Buffer.from(noted), source]));
    }
  }

  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS', 'AUTH'],
    disableReverseLookup: true,
    // The envelope goes along, and the webhook has the same limit.
    size: mailLimitBytes - 2_048,
    onData: (stream, session, accept) => {
      deliver(stream, session).then(() => accept(null), accept);
    },
  });
  // A client that breaks off is its own trouble.
  server.on('error', () => undefined);
  await new Promise<void>((settle, refuse) => {
    server.server.once('error', refuse);
    server.listen(port, '127.0.0.1', () => settle());
  });
  return {
    smtpUrl: `smtp://127.0.0.1:${port}`,
    stop: () => new Promise((settle) => server.close(() => settle())),
  };
}

/** What only waits to be possible (too many, still running, away) the sender tries again; the rest is final. */
function replyTo(status: number): number {
  if (status === 429) return 450;
  return status >= 500 || status === 409 ? 451 : 550;
}

const oneWord = (address: string): string => address.replaceAll(/[\s<>]/g, '');
