import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import PostalMime from 'postal-mime';
import { SMTPServer } from 'smtp-server';
import { v7 as uuidv7 } from 'uuid';

/** A mail as the catcher lists it; its full source is in the file `<id>.eml`. */
export type CaughtMail = {
  id: string;
  receivedAt: string;
  messageId: string;
  from: string;
  to: string[];
  subject: string;
  text: string;
};

/** A mail server that delivers nothing: what it accepts can be read over HTTP. */
export type MailCatcher = {
  /** For SMTP_URL. */
  smtpUrl: string;
  /** For a browser; `/messages` and `/messages/<id>` below it answer JSON. */
  url: string;
  stop: () => Promise<void>;
};

const shownAtOnce = 200;

/**
 * Starts the catcher on loopback, for installations without SMTP_URL. Mails are kept in `folder`, and are accepted only once
 * they are on disk. GET `/messages` answers `{data: CaughtMail[]}`, newest first, at most 200.
 */
export async function startMailCatcher(options: {
  folder: string;
  smtpPort: number;
  port: number;
}): Promise<MailCatcher> {
  const { folder, smtpPort, port } = options;
  const index = join(folder, 'index.ndjson');
  mkdirSync(folder, { recursive: true });
  const mails = readIndex(index);

  const receive = async (source: string, recipients: string[]) => {
    const parsed = await PostalMime.parse(source);
    const mail: CaughtMail = {
      id: uuidv7(),
      receivedAt: new Date().toISOString(),
      messageId: parsed.messageId ?? '',
      from: parsed.from?.address ?? '',
      to: recipients,
      subject: parsed.subject ?? '',
      text: parsed.text ?? '',
    };
    writeFileSync(join(folder, `${mail.id}.eml`), source);
    appendFileSync(index, `${JSON.stringify(mail)}\n`);
    mails.push(mail);
  };

  const smtp = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    disableReverseLookup: true,
    onAuth: (_credentials, _session, accept) => accept(null, { user: 'anybody' }),
    onData: (stream, session, accept) => {
      text(stream)
        .then((source) =>
          receive(
            source,
            session.envelope.rcptTo.map(({ address }) => address),
          ),
        )
        .then(
          () => accept(null),
          (error: unknown) => accept(error instanceof Error ? error : new Error(String(error))),
        );
    },
  });
  // A client that breaks off is its own trouble.
  smtp.on('error', () => undefined);
  const http = createServer((request, response) => answer(request, response, mails, folder));
  await Promise.all([listening(smtp.server, smtpPort), listening(http, port)]);
  return {
    smtpUrl: `smtp://127.0.0.1:${smtpPort}`,
    url: `http://127.0.0.1:${port}`,
    stop: async () => {
      http.closeAllConnections();
      await Promise.all([
        new Promise<void>((settle) => smtp.close(() => settle())),
        new Promise<void>((settle) => http.close(() => settle())),
      ]);
    },
  };
}

function readIndex(index: string): CaughtMail[] {
  if (!existsSync(index)) return [];
  const lines = readFileSync(index, 'utf8').split('\n').filter(Boolean);
  const mails = lines.flatMap(mailIn);
  // A line that was cut off, by a crash or a full disk, is of a mail that was not accepted.
  if (mails.length < lines.length) writeFileSync(index, mails.map((mail) => `${JSON.stringify(mail)}\n`).join(''));
  return mails;
}

function mailIn(line: string): CaughtMail[] {
  try {
    return [JSON.parse(line) as CaughtMail];
  } catch {
    return [];
  }
}

function listening(
  server: {
    listen: (port: number, host: string, ready: () => void) => unknown;
    once: (event: 'error', refuse: (error: Error) => void) => unknown;
  },
  port: number,
): Promise<void> {
  return new Promise((settle, refuse) => {
    server.once('error', refuse);
    server.listen(port, '127.0.0.1', () => settle());
  });
}

function answer(
  request: IncomingMessage,
  response: ServerResponse,
  mails: readonly CaughtMail[],
  folder: string,
): void {
  const [pathname = '/'] = (request.url ?? '/').split('?');
  const newestFirst = mails.slice(-shownAtOnce).toReversed();
  const json = (status: number, body: unknown) =>
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  if (pathname === '/') {
    response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(page(newestFirst, mails.length));
    return;
  }
  if (pathname === '/messages') return void json(200, { data: newestFirst });
  const id = /^\/messages\/([0-9a-f-]{36})$/.exec(pathname)?.[1];
  const mail = mails.find((each) => each.id === id);
  const source = join(folder, `${mail?.id}.eml`);
  if (!mail || !existsSync(source)) return void json(404, { title: 'There is no such mail.', status: 404 });
  json(200, { ...mail, source: readFileSync(source, 'utf8') });
}

function page(mails: readonly CaughtMail[], count: number): string {
  const rows = mails.map(
    (mail) =>
      `<details><summary><time>${mail.receivedAt}</time> <b>${escapeHtml(mail.to.join(', '))}</b> ${escapeHtml(mail.subject)}</summary>` +
      `<pre>${escapeHtml(mail.text)}</pre><a href="/messages/${mail.id}">with its source</a></details>`,
  );
  return `<!doctype html><html lang="en"><meta charset="utf-8"><title>Caught mail</title>
<style>body{font:15px system-ui;margin:2rem auto;max-width:60rem}pre{white-space:pre-wrap}details{padding:.4rem 0;border-top:1px solid #ccc}</style>
<h1>Caught mail</h1><p>${count} mails; nothing leaves this machine.</p>${rows.join('\n')}</html>`;
}

function escapeHtml(value: string): string {
  return value.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
