import { setCurrentDetails, upsertSearchAttributes, workflowInfo } from '@temporalio/workflow';
import type { SearchAttributeUpdatePair } from '@temporalio/common';
import type { RefusedMessage } from './inbox.ts';
import { utcMinute } from '../text/utc-minute.ts';
import { searchAttributes, type SlaState } from './search-attributes.ts';

/** What a person with only the Temporal UI must be able to see and find. Times are UTC instants, ISO 8601. */
export interface Progress {
  readonly stage: string;
  readonly assignee: string | null;
  /** Left out where nobody looks for a process by its team. */
  readonly team?: string | null;
  readonly priority: string | null;
  readonly sla: SlaState | null;
  readonly dueAt: string | null;
  /** Rows of the current details, in order: name and value. */
  readonly details: readonly (readonly [string, string])[];
  readonly refused: readonly RefusedMessage[];
}

/** Publishes the state of a process: current details (no history event), and one upsert if an attribute differs. */
export function publishProgress({ stage, assignee, team, priority, sla, dueAt, details, refused }: Progress): void {
  const rows = [...details, ...refused.map(({ name, at, why }) => [`refused: ${name}`, `${utcMinute(at)}: ${why}`])];
  setCurrentDetails(['| | |', '|---|---|', ...rows.map((row) => `| ${row.map(cell).join(' | ')} |`)].join('\n'));

  const wanted: SearchAttributeUpdatePair[] = [
    { key: searchAttributes.stage, value: stage },
    { key: searchAttributes.assignee, value: assignee },
    ...(team === undefined ? [] : [{ key: searchAttributes.team, value: team }]),
    { key: searchAttributes.priority, value: priority },
    { key: searchAttributes.sla, value: sla },
    { key: searchAttributes.dueAt, value: dueAt === null ? null : new Date(dueAt) },
  ];
  const present = workflowInfo().typedSearchAttributes;
  const changed = wanted.filter(({ key, value }) => comparable(present.get(key)) !== comparable(value));
  if (changed.length > 0) upsertSearchAttributes(changed);
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll(/\s+/g, ' ');
}

function comparable(value: unknown): unknown {
  return value instanceof Date ? value.getTime() : (value ?? null);
}
