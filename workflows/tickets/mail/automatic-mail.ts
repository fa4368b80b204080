/** Why a mail is taken for the work of a machine, which nobody answers (RFC 3834 §2). */
export const automaticCauses = ['auto_submitted', 'bulk', 'null_sender', 'report', 'own_message'] as const;
export type AutomaticCause = (typeof automaticCauses)[number];

/** What tells machines from people: the fields of a mail's header. */
export interface SenderMarks {
  /** As they stand, names in small letters. */
  fields: readonly { key: string; value: string }[];
  /** Address of `From`. */
  from: string;
}

const bulk = new Set(['bulk', 'list', 'junk', 'auto_reply', 'auto-reply']);
// What Exchange asks others not to answer it with; delivery and read receipts it lets people's mails say, too.
const suppressed = /(^|[\s,;])(all|autoreply|oof)($|[\s,;])/i;
const autoresponders = new Set(['x-autoreply', 'x-autorespond', 'x-autoresponder', 'x-auto-reply', 'x-mail-autoreply']);

/** The cause why a mail is automatic, or null for one that a person seems to have written. */
export function automaticCause({ fields, from }: SenderMarks): AutomaticCause | null {
  const some = (name: string, test: (value: string) => boolean) =>
    fields.some(({ key, value }) => key === name && test(value.trim()));
  // RFC 3834 §5: everything but `no` was generated or sent by a machine; comments and parameters may follow.
  if (some('auto-submitted', (value) => firstWord(value) !== 'no')) return 'auto_submitted';
  if (some('x-auto-response-suppress', (value) => suppressed.test(value))) return 'auto_submitted';
  if (fields.some(({ key, value }) => autoresponders.has(key) && firstWord(value) !== 'no')) return 'auto_submitted';
  if (['precedence', 'x-precedence'].some((name) => some(name, (value) => bulk.has(firstWord(value))))) return 'bulk';
  // RFC 2369, RFC 2919: the answer would go to a list, or to nobody.
  if (fields.some(({ key }) => key.startsWith('list-'))) return 'bulk';
  if (some('return-path', isNullSender) || isMailer(from)) return 'null_sender';
  if (some('content-type', (value) => /^multipart\/report\b/i.test(value))) return 'report';
  return null;
}

/** Whether an address is one from which mail servers write, whatever its domain. */
export function isMailer(address: string): boolean {
  return /^(mailer-daemon|mail-daemon|mailerdaemon)(@|$)/i.test(address);
}

const isNullSender = (value: string): boolean => /^(<\s*>)?(\s*\(.*\))?$/.test(value);

// RFC 5322 §3.2.2: a comment may stand before it as well as behind it.
const firstWord = (value: string): string =>
  /^(?:\([^()]*\)\s*)*([^\s;(]*)/.exec(value.trim().toLowerCase())?.[1] ?? '';
