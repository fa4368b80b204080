/**
 * One thing that must hold in an installation, and a statement that finds where it does not. Every check reads all
 * organisations, set-based, as `crm_relay`.
 */
export interface Check {
  /** Such as `lead-without-process`: what scripts look for. */
  readonly name: string;
  /** What a finding means, in one sentence. */
  readonly means: string;
  /** What to do about it. */
  readonly mend: string;
  /** Selects `organization_id`, `subject` (`lead {id}`, no personal data) and `detail`, a row for each discrepancy. */
  readonly sql: string;
}

/** One discrepancy. */
export interface Finding {
  organizationId: string | null;
  subject: string;
  detail: string;
}

/** What a check found: how many in all, and the first of them. */
export interface Outcome {
  check: Check;
  count: number;
  findings: Finding[];
}

/** For so long something may be under way before it counts as overdue. */
export const graceInterval = `interval '60 seconds'`;

/** Whether a command `c` that was received is overdue: a minute after its first lease, which the relay prolongs. */
export const isOverdue = `c.received_at + interval '30 seconds' < now() - ${graceInterval}`;

/** A command or an event on its way to the process of a record explains why things do not agree yet. */
export const inDelivery = (record: string): string => `(
  exists (select from crm_core.crm_commands c where c.record_id = ${record} and c.state = 'received' and not (${isOverdue}))
  or exists (select from crm_core.crm_outbox e where e.subject_id = ${record} and e.delivered_at is null
    and coalesce(uuid_extract_timestamp(e.event_id), e.occurred_at) > now() - ${graceInterval}))`;

/** Whether a lead `l` came by a capture: rows that a set-up loads were captured by nobody. */
export const wasCaptured = `l.created_by not like 'process:%'`;

/** An instant as JSON writes it, in a trail and in what a process shows: ISO 8601, UTC, milliseconds. */
export const iso = (instant: string): string =>
  `to_char(${instant} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;

/** Whether one of several conditions holds. */
export const anyOf = (conditions: readonly string[]): string =>
  `(${conditions.map((condition) => `(${condition})`).join(' or ')})`;

/** What holds of several conditions, in words. */
export const wordsOf = (conditions: Readonly<Record<string, string>>): string =>
  `concat_ws('; ', ${Object.entries(conditions)
    .map(([words, condition]) => `case when ${condition} then '${words}' end`)
    .join(', ')})`;
