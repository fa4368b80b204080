/** Why a mail is taken for the work of a machine, which nobody answers (RFC 3834 §2). */
export const automaticCauses = ['auto_submitted', 'bulk', 'null_sender', 'report', 'own_message'] as const;
export type AutomaticCause = (typeof automaticCauses)[number];

/** What of a mail's header tells machines from people; each value as it stands, in the order of the header. */
export interface SenderMarks {
  autoSubmitted: readonly string[];
  precedence: readonly string[];
  /** The envelope's sender, such as `<ada@example.com>`; `<>` is the null sender of bounces. */
  returnPath: readonly string[];
  contentType: readonly string[];
  from: string;
  /** The mail was sent by this installation: by its Message-ID, or from its own support address. */
  isOwn: boolean;
}

const bulk = new Set(['bulk', 'list', 'junk', 'auto_reply']);

/** The cause why a mail is automatic, or null for one that a person seems to have written. */
export function automaticCause(marks: SenderMarks): AutomaticCause | null {
  if (marks.isOwn) return 'own_message';
  // RFC 3834 §5: everything but `no` was generated or sent by a machine; comments and parameters may follow.
  if (marks.autoSubmitted.some((value) => firstWord(value) !== 'no')) return 'auto_submitted';
  if (marks.precedence.some((value) => bulk.has(firstWord(value)))) return 'bulk';
  if (marks.returnPath.some((value) => value.trim() === '<>') || /^mailer-daemon@/i.test(marks.from))
    return 'null_sender';
  if (marks.contentType.some((value) => /^\s*multipart\/report\b/i.test(value))) return 'report';
  return null;
}

const firstWord = (value: string): string => /^[^\s;(]*/.exec(value.trim().toLowerCase())?.[0] ?? '';
