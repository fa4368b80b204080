/** What `crm doctor` says about one part: `mend` tells what to do when it is not well. */
export type Finding = { part: string; state: 'well' | 'warning' | 'ill'; detail: string; mend?: string };

export const well = (part: string, detail: string): Finding => ({ part, state: 'well', detail });
export const warning = (part: string, detail: string, mend: string): Finding => ({
  part,
  state: 'warning',
  detail,
  mend,
});
export const ill = (part: string, detail: string, mend: string): Finding => ({ part, state: 'ill', detail, mend });

/** The message of anything thrown, with that of its cause. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // A host with several addresses (localhost) is refused by each, and the whole says nothing.
  if (error instanceof AggregateError && error.message === '') return error.errors.map(reasonOf).join(', ');
  const own = error.message || (error as NodeJS.ErrnoException).code || error.name;
  return error.cause instanceof Error ? `${own} (${reasonOf(error.cause)})` : own;
}
