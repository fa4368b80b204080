import { v7 as uuidv7 } from 'uuid';

export interface TestMail {
  from?: string;
  to?: string;
  subject?: string;
  messageId?: string | null;
  headers?: readonly string[];
  body?: string;
}

/** A mail of Ada's in plain text; what is left out is what a person would send. */
export function mailSource(mail: TestMail = {}): Buffer {
  const {
    from = 'Ada Lovelace <ada@example.com>',
    to = 'support@acme.example',
    subject = 'Printer on fire',
    messageId = `<${uuidv7()}@example.com>`,
    headers = ['Content-Type: text/plain; charset=utf-8'],
    body = 'Please help.',
  } = mail;
  const lines = [
    `From: ${from}`,
    `To: ${to}`,
    `Subject: ${subject}`,
    'Date: Sat, 21 Nov 2026 10:00:00 +0000',
    ...(messageId === null ? [] : [`Message-ID: ${messageId}`]),
    'MIME-Version: 1.0',
    ...headers,
  ];
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n${body}\r\n`);
}

/** A mail of several parts, each with its header. */
export function multipart(parts: readonly string[], mail: TestMail = {}): Buffer {
  const body = [...parts.map((part) => `--edge\r\n${part}`), '--edge--'].join('\r\n');
  return mailSource({
    ...mail,
    headers: ['Content-Type: multipart/mixed; boundary=edge', ...(mail.headers ?? [])],
    body,
  });
}
