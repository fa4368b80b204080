const mailDomain = 'crm.durable-crm';
const mostReferences = 30;
// RFC 5322 §3.6.4, and what mail programs make of it: anything visible between angle brackets.
const messageIdPattern = /<([!-;=?-~]{1,500})>/g;

/**
 * The Message-ID of an agent's reply, without its angle brackets like all of them within the product. It names the
 * organisation, so that another installation's replies are no loop.
 */
export function replyMessageId(organizationId: string, conversationMessageId: string): string {
  return `${conversationMessageId}@${organizationId}.${mailDomain}`;
}

/** The organisation whose reply has this Message-ID; null for every other mail. */
export function organizationOfReply(messageId: string): string | null {
  const [, organizationId] = /@([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\.crm\.durable-crm$/i.exec(messageId) ?? [];
  return organizationId?.toLowerCase() ?? null;
}

/** The Message-IDs in a header, in its order, each once; what is not one is passed over. */
export function messageIdsIn(header: string | null | undefined): string[] {
  return [...new Set(Array.from((header ?? '').matchAll(messageIdPattern), ([, id = '']) => id))];
}

/** `References` of an answer (RFC 5322 §3.6.4): its parent's and the parent; of a long thread the first and the newest. */
export function referencesAfter(references: readonly string[], parentId: string): string[] {
  const [first, ...rest] = [...new Set([...references, parentId])];
  if (first === undefined || rest.length < mostReferences) return [first ?? parentId, ...rest];
  return [first, ...rest.slice(1 - mostReferences)];
}

/** The subject of an answer: `Re: Printer on fire [#42]`, however often it went to and fro. */
export function replySubject(subject: string, number: number): string {
  const plain = subject.replaceAll(/\s*\[#\d+\]/g, '').replace(/^(\s*(re|aw|antw|sv|tr|fwd?|wg)\s*:)+\s*/i, '');
  return `Re: ${plain.slice(0, 200)} [#${number}]`;
}

/** The ticket number that a subject names, the last one when there are several; null for none. */
export function ticketNumberIn(subject: string): number | null {
  const number = [...subject.matchAll(/\[#(\d{1,9})\]/g)].at(-1)?.[1];
  return number === undefined ? null : Number(number);
}
