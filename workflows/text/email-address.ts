import { patterned } from '../processes/text.ts';

const domainLetter =
  'A-Za-z0-9\\u00a1-\\u167f\\u1681-\\u1fff\\u2c00-\\u2fff\\u3001-\\ud7ff\\uf900-\\ufdcf\\ufdf0-\\ufefe';
const local = "[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]";

// A dotted ASCII local part and a domain that may be international; normalisation trims it and writes it in ASCII.
const emailAddress = new RegExp(
  `^ *${local}(?:\\.?${local}){0,63}@(?:[${domainLetter}](?:-*[${domainLetter}]){0,62}\\.)+` +
    `[${domainLetter.replace('0-9', '')}](?:-*[${domainLetter}]){1,62} *$`,
  'u',
);

/** An e-mail address, up to 254 characters; the domain may be international (`anna@bücher.example`). */
export const emailAsWritten = () =>
  patterned(emailAddress, 254, 'must be an e-mail address such as ada@example.com', { example: 'ada@example.com' });
