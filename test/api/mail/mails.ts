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

/** A delivery status notification (RFC 3464) that returns a mail, or its header, as a part of this type. */
export function bounceSource(type: string, returned: string, mail: TestMail = {}): Buffer {
  const status = [
    'Reporting-MTA: dns; mx.example.com',
    '',
    'Final-Recipient: rfc822; ada@example.com',
    'Action: failed',
    'Status: 5.1.1',
    'Diagnostic-Code: smtp; 550 5.1.1 <ada@example.com>: unknown',
  ].join('\r\n');
  const parts = [
    'Content-Type: text/plain\r\n\r\nI am sorry to tell you.',
    `Content-Type: message/delivery-status\r\n\r\n${status}\r\n`,
    `Content-Type: ${type}\r\n\r\n${returned}`,
  ];
  return mailSource({
    from: 'Mail Delivery System <MAILER-DAEMON@mx.example.com>',
    subject: 'Undelivered Mail Returned to Sender',
    ...mail,
    headers: [
      'Return-Path: <>',
      'Content-Type: multipart/report; report-type=delivery-status; boundary=edge',
      ...(mail.headers ?? []),
    ],
    body: [...parts.map((part) => `--edge\r\n${part}`), '--edge--'].join('\r\n'),
  });
}
