import { patterned, trimmed } from '../../processes/text.ts';

// As in headers: whatever mail programs make of it, but visible characters of ASCII alone.
const messageId = /^ *(?:<[!-;=?-~]+>|[!-;=?-~]+) *$/u;

/**
 * A Message-ID of up to 500 characters as callers write it, with its angle brackets (RFC 5322 §3.6.4) or without; parsed,
 * it has none, as everywhere within the product.
 */
export const messageIdText = () =>
  patterned(messageId, 500, 'must be one Message-ID, without blanks and control characters', {
    example: 'CAF1.20261121@mail.example.com',
    form: (text) => trimmed(text).replace(/^<(.*)>$/, '$1'),
  });
