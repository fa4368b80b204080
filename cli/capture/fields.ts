import { captureBody, consentSchema, utmSchema } from '../../workflows/leads/capture.ts';

/**
 * A place in the body of a capture that a column can fill: a field (`email`), a part of one (`utm.source`,
 * `consent.marketing`), or the identifier in another product (`externalRefs.cms`).
 */
export type Target = string;

const nested: Readonly<Record<string, readonly string[]>> = {
  utm: Object.keys(utmSchema.shape),
  consent: Object.keys(consentSchema.shape),
};

const yesOrNo = new Set(['consent', 'consent.marketing', 'consent.email', 'consent.phone', 'consent.sms']);
const words = new Map([
  ...['true', 'yes', 'y', '1'].map((word) => [word, true] as const),
  ...['false', 'no', 'n', '0'].map((word) => [word, false] as const),
]);

/** Every target by name; `externalRefs.{system}` takes any system besides. */
export const targets: readonly Target[] = Object.keys(captureBody.shape).flatMap((field) => [
  field,
  ...(nested[field] ?? []).map((part) => `${field}.${part}`),
]);

/** Whether a capture has such a place. */
export function isTarget(name: string): boolean {
  return targets.includes(name) || /^externalRefs\..+$/.test(name);
}

const bare = (name: string) => name.toLowerCase().replace(/[^\p{L}\p{N}]/gu, '');

/** The target that a column names without a mapping (`First_Name` → `firstName`, `utm_source` → `utm.source`). */
export function targetNamedBy(column: string): Target | undefined {
  return targets.find((target) => bare(target) === bare(column));
}

/** A text as its target takes it: yes and no become booleans where a boolean is expected; the API judges the rest. */
export function valueFor(target: Target, value: unknown): unknown {
  if (!yesOrNo.has(target) || typeof value !== 'string') return value;
  return words.get(value.toLowerCase()) ?? value;
}

/** Puts a value into the body of a capture. */
export function place(body: Record<string, unknown>, target: Target, value: unknown): void {
  const [field = target, ...rest] = target.split('.');
  const part = rest.join('.');
  if (part === '') {
    body[field] = value;
  } else if (field === 'externalRefs') {
    const known = body[field];
    body[field] = [...(Array.isArray(known) ? (known as unknown[]) : []), { system: part, externalId: value }];
  } else {
    body[field] = { ...(body[field] as Record<string, unknown> | undefined), [part]: value };
  }
}
