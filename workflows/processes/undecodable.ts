const mark = 'crm.undecodable';

/** What the tolerant payload converter puts in the place of a payload that cannot be decoded. */
export function undecodable(reason: string): object {
  return { [mark]: reason };
}

/** Why a value could not be decoded, or null for an ordinary value. */
export function undecodableReason(value: unknown): string | null {
  if (typeof value !== 'object' || value === null || !(mark in value)) return null;
  return String(value[mark]);
}
