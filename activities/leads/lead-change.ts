import type { EntityManager } from '@mikro-orm/postgresql';
import { actorLabel } from '../../db/access/actor.ts';
import type { LeadRow } from '../../db/leads/lead-state.queries.ts';
import { auditRows, type Change, eventRow, timelineRow } from '../../db/model/changes.ts';
import { Problem } from '../../db/model/problem.ts';
import { gather, type Insertion, insertRows, type Statement } from '../../db/model/set-based.ts';
import { mayChangeStage, statusOf } from '../../workflows/leads/policy.ts';
import { flagsFollow } from './duplicate-flags.ts';

/** The timeline entry of a change: a sentence without personal data. */
export interface Told {
  kind: string;
  summary: string;
  details?: Record<string, unknown>;
}

/** The timeline entry of a change to a lead. */
export function toldEntry(change: Change, { kind, summary, details }: Told): Insertion {
  return timelineRow(change, kind, summary.slice(0, 500), details ?? null);
}

/** Event that a user has one lead less; its subscriber tells those that wait. Payload: `{userId}`. */
export const leadCapacityFreed = 'lead.capacity_freed';

/** The event to write when a lead leaves its owner, or was told of a place and did not take it. */
export function capacityFreed(change: Change, userId: string): Insertion {
  return eventRow(change, leadCapacityFreed, { userId });
}

/**
 * Writes new values into a locked lead with audit, timeline and whatever goes along, in the caller's transaction. A
 * stage may only follow the transitions of the intake; the status and the closing instant follow the stage. Whoever has
 * the lead no more has room for another.
 */
export async function saveLead(
  em: EntityManager,
  change: Change,
  lead: LeadRow,
  values: Partial<LeadRow>,
  told: Told | null,
  along: { rows?: Insertion[]; statements?: Statement[] } = {},
): Promise<LeadRow> {
  const stage = values.stage ?? lead.stage;
  if (stage !== lead.stage && !mayChangeStage(lead.stage, stage)) {
    throw new Problem('illegal_stage', `A lead that is "${lead.stage}" cannot become "${stage}".`);
  }
  const status = statusOf(stage);
  const closing =
    status === 'open' ? { closedAt: null } : { closedAt: lead.closedAt ?? change.at, nextStep: null, nextDueAt: null };
  const after = { ...values, status, ...closing };
  const audit = auditRows(change, lead.version + 1, lead as unknown as Record<string, unknown>, after);
  const owner = lead.status === 'open' ? lead.assignedUserId : null;
  const { assignedUserId = lead.assignedUserId } = values;
  const isGivenAway = assignedUserId !== owner;
  const flags = assignedUserId === lead.assignedUserId ? [] : await flagsFollow(em, change, lead, assignedUserId);
  // What the lead is going to refer to (a new account) is there before the lead does.
  await insertRows(
    em,
    gather([
      audit,
      ...(told ? [toldEntry(change, told)] : []),
      ...(owner !== null && (isGivenAway || status !== 'open') ? [capacityFreed(change, owner)] : []),
      ...flags,
      ...(along.rows ?? []),
    ]),
    along.statements,
  );
  if (audit.rows.length > 0) {
    em.assign(lead, { ...after, updatedAt: change.at, updatedBy: actorLabel(change.actor) } as never, {
      mergeObjectProperties: false,
    });
    await em.flush();
  }
  return lead;
}
