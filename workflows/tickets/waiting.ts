import type { TicketStatus } from './policy.ts';
import type { OwnTerms } from './terms.ts';

/** How long a ticket has been waiting for somebody outside: its customer, or whoever it is on hold for. */
export interface Waiting {
  status: TicketStatus;
  /** Null while it waits for nobody outside. */
  waitingSince: Date | null;
  /** How often it began to wait. */
  waitCount: number;
}

/** Statuses in which a ticket waits for somebody outside. */
export const waitingStatuses: readonly TicketStatus[] = ['waiting_for_customer', 'on_hold'];

/** What a change of the status at `at` means for the waiting; another reason to wait is another wait. */
export function inStatus(before: Waiting, status: TicketStatus, at: Date): Waiting {
  const { waitingSince, waitCount } = before;
  if (status === before.status) return { status, waitingSince, waitCount };
  if (!waitingStatuses.includes(status)) return { status, waitingSince: null, waitCount };
  return { status, waitingSince: at, waitCount: waitCount + 1 };
}

/** The same once the customer was written to at `at`: they have the whole time again. */
export function remindedAt({ status, waitingSince }: Waiting, at: Date): Pick<Waiting, 'waitingSince'> {
  const isLater = waitingSince !== null && at > waitingSince;
  return { waitingSince: status === 'waiting_for_customer' && isLater ? at : waitingSince };
}

/** How long a wait may last. */
export type WaitTerms = Pick<OwnTerms, 'resolveAfterMinutes' | 'resumeAfterMinutes'>;

/** What a ticket does by itself once it has waited for as long as its terms let it, and when; null while it does not wait. */
export function endOfWait(
  { status, waitingSince }: Pick<Waiting, 'status' | 'waitingSince'>,
  { resolveAfterMinutes, resumeAfterMinutes }: WaitTerms,
): { step: 'resolve' | 'resume'; clause: string; dueAt: Date } | null {
  if (waitingSince === null) return null;
  const dueAt = (minutes: number) => new Date(waitingSince.getTime() + minutes * 60_000);
  return status === 'on_hold'
    ? { step: 'resume', clause: 'end of the hold', dueAt: dueAt(resumeAfterMinutes) }
    : { step: 'resolve', clause: 'resolve · no word from the customer', dueAt: dueAt(resolveAfterMinutes) };
}
