/** When somebody is out of office, and who stands in for them; instants ISO 8601, `until: null`: not known yet. */
export interface Absence {
  from: string;
  until: string | null;
  delegateUserId: string | null;
}

/** As much of a person as says whether they are away. */
export interface Attendance {
  outOfOffice: Absence | null;
  /** The instant asked about when they are open then, else their next opening; null when none is in sight. */
  opensAt: string | null;
}

/**
 * Whether somebody is away for work that comes at the instant `at` (ISO 8601): at their next opening. Somebody on leave
 * tonight who is back by then can be given work, and keeps what they have.
 */
export function isAway({ outOfOffice, opensAt }: Attendance, at: string): boolean {
  if (!outOfOffice) return false;
  const works = Math.max(Date.parse(at), opensAt === null ? 0 : Date.parse(opensAt));
  return Date.parse(outOfOffice.from) <= works && (outOfOffice.until === null || works < Date.parse(outOfOffice.until));
}
