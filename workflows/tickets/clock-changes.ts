import type { CompiledCalendar } from '../calendars/business-time.ts';
import type { ClockChange } from './clock-records.ts';
import type { TicketPriority } from './policy.ts';

/** What a clock counts by. */
interface Counted {
  priority: TicketPriority;
  targetMinutes: number;
  slaPolicyId: string;
  slaPolicyVersion: number;
  calendarId: string | null;
}

/** What has been told of a clock so far. */
interface Told {
  dueAt: Date | null;
  changes: ClockChange[];
}

/** What there is to tell; `fromTicketId`: on which ticket the clock was until now. */
interface Telling extends Pick<ClockChange, 'cause' | 'note' | 'fromTicketId'> {
  at: Date;
  dueTo: Date | null;
}

interface CountedBy {
  calendar: CompiledCalendar;
}

const mostChanges = 100;

/** What a clock counts by now and did not before, in words. */
export function termsChanged(before: Counted, after: Counted): string[] {
  const policy = before.slaPolicyId !== after.slaPolicyId;
  const version = before.slaPolicyVersion !== after.slaPolicyVersion;
  return [
    ...(before.targetMinutes === after.targetMinutes
      ? []
      : [`${before.targetMinutes} → ${after.targetMinutes} minutes`]),
    ...(before.priority === after.priority ? [] : [`${before.priority} → ${after.priority}`]),
    ...(policy ? ['another policy'] : []),
    ...(version && !policy ? [`policy version ${before.slaPolicyVersion} → ${after.slaPolicyVersion}`] : []),
    ...(before.calendarId === after.calendarId ? [] : ['another calendar']),
  ];
}

/** The same of the calendar's hours, as far as the last change on record says which version they were. */
export function calendarChanged(
  before: Counted & Told,
  after: Counted,
  { calendar: { version } }: CountedBy,
): string[] {
  const known = before.changes.at(-1)?.calendarVersion;
  if (known === undefined || known === version || before.calendarId !== after.calendarId) return [];
  return [`calendar version ${known} → ${version}`];
}

/** The changes of a clock with another one, the latest hundred of them. */
export function told(
  clock: Told,
  { calendar: { version } }: CountedBy,
  { at, cause, dueTo, note, fromTicketId }: Telling,
): ClockChange[] {
  const change = {
    at: at.toISOString(),
    cause: cause.slice(0, 200),
    dueFrom: clock.dueAt?.toISOString() ?? null,
    dueTo: dueTo?.toISOString() ?? null,
    note,
    ...(version === undefined ? {} : { calendarVersion: version }),
    ...(fromTicketId === undefined ? {} : { fromTicketId }),
  };
  return [...clock.changes, change].slice(-mostChanges);
}
