/** An instant (ISO 8601, UTC) for people: `2026-11-23 14:30 UTC`. */
export function utcMinute(instant: string): string {
  return `${instant.slice(0, 10)} ${instant.slice(11, 16)} UTC`;
}
