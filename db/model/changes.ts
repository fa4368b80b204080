import { isDeepStrictEqual } from 'node:util';
import { v7 as uuidv7 } from 'uuid';
import { actorLabel, type Actor } from '../access/actor.ts';
import { OutboxEvent } from '../automation/outbox-event.ts';
import { TimelineEntry } from '../engagement/timeline-entry.ts';
import { AuditEntry } from '../governance/audit-entry.ts';
import type { Resource } from './define-resource.ts';
import type { RecordRow } from './entity.ts';
import { jsonValue } from './record-json.ts';
import type { Insertion } from './set-based.ts';

/** Who changes which record in which transaction, and when (a business instant, not a clock of the database). */
export interface Change {
  organizationId: string;
  actor: Actor;
  at: Date;
  subjectType: string;
  subjectId: string;
  commandId: string | null;
}

/** The columns that every row has, for a row made by this change. */
export function baseColumns({
  organizationId,
  actor,
  at,
}: Pick<Change, 'organizationId' | 'actor' | 'at'>): Record<string, unknown> {
  const by = actorLabel(actor);
  return { organizationId, createdAt: at, createdBy: by, updatedAt: at, updatedBy: by, version: 1, deletedAt: null };
}

/** Audit rows for the fields whose value differs between `before` and `after`; none for a record just made. */
export function auditRows(
  change: Change,
  version: number,
  before: Readonly<Record<string, unknown>>,
  after: Readonly<Record<string, unknown>>,
): Insertion {
  const rows = Object.keys(after)
    // PostgreSQL keeps the keys of JSON in an order of its own, so texts are not compared.
    .filter((field) => !isDeepStrictEqual(jsonValue(before[field]), jsonValue(after[field])))
    .map((field) => ({
      id: uuidv7(),
      ...baseColumns(change),
      subjectType: change.subjectType,
      subjectId: change.subjectId,
      subjectVersion: version,
      field,
      before: jsonValue(before[field]),
      after: jsonValue(after[field]),
      actor: actorLabel(change.actor),
      commandId: change.commandId,
      happenedAt: change.at,
    }));
  return { into: AuditEntry, rows };
}

/** One entry in the record's timeline. `kind` is `{record}.{event}`; `summary` is a sentence without personal data. */
export function timelineRow(
  change: Change,
  kind: string,
  summary: string,
  details: Record<string, unknown> | null = null,
): Insertion {
  const { subjectType, subjectId, at, actor } = change;
  return {
    into: TimelineEntry,
    rows: [
      {
        id: uuidv7(),
        ...baseColumns(change),
        subjectType,
        subjectId,
        kind,
        summary,
        happenedAt: at,
        actor: actorLabel(actor),
        details,
      },
    ],
  };
}

/** One domain event for the outbox, delivered after the transaction commits. */
export function eventRow(change: Change, kind: string, payload: Record<string, unknown> = {}): Insertion {
  const { subjectType, subjectId, at } = change;
  return {
    into: OutboxEvent,
    rows: [
      { id: uuidv7(), ...baseColumns(change), kind, subjectType, subjectId, payload, occurredAt: at, attempts: 0 },
    ],
  };
}

/** What a plain write leaves behind: timeline entries on the record and on what it hangs on, and its domain event. */
export function recordTraces(
  change: Change,
  resource: Resource,
  event: string,
  row: RecordRow,
  fields: readonly string[] = [],
): Insertion[] {
  const kind = `${change.subjectType}.${event}`;
  const what = `${resource.title} ${event}`;
  const own =
    fields.length === 0
      ? timelineRow(change, kind, what)
      : timelineRow(change, kind, `${what}: ${fields.join(', ')}`.slice(0, 500), { fields });
  const { subjectType, subjectId } = row;
  const onSubject =
    typeof subjectType === 'string' && typeof subjectId === 'string'
      ? timelineRow({ ...change, subjectType, subjectId }, kind, what, { [`${change.subjectType}Id`]: row.id }).rows
      : [];
  const payload = fields.length === 0 ? {} : { fields };
  const events = resource.emits ? [eventRow(change, `${resource.emits}.${event}`, payload)] : [];
  return [{ ...own, rows: [...own.rows, ...onSubject] }, ...events];
}
