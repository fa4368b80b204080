import type { EntityManager } from '@mikro-orm/postgresql';
import { v7 as uuidv7 } from 'uuid';
import type { TermsInForce } from '../../workflows/tickets/clocks.ts';
import {
  type ClockEffect,
  clockEffectsOf,
  type PolicyPreview,
  PreviewSummary,
} from '../../workflows/tickets/policy-preview.ts';
import { reconcile } from '../../workflows/tickets/promises.ts';
import { keptTerms, type SlaTerms } from '../../workflows/tickets/terms.ts';
import { endOfWait, type WaitTerms } from '../../workflows/tickets/waiting.ts';
import type { Answer } from '../automation/answers.queries.ts';
import { writeOnce, type WriteContext } from '../automation/ledger.queries.ts';
import { type Database, inOrganization } from '../database.ts';
import { type Change, eventRow, timelineRow } from '../model/changes.ts';
import { findWritable } from '../model/row-access.ts';
import { updateRow } from '../model/row-writes.ts';
import { insertRows } from '../model/set-based.ts';
import { clockNumbers, readLives, readPromisesOf } from './life.queries.ts';
import { type CalendarJson, calendarOf, calendarSql, termsSql } from './policies.queries.ts';
import { slaPolicies } from './sla-policy.ts';
import type { TicketRow } from './ticket-state.queries.ts';
import { Ticket } from './ticket.ts';

/** How many open tickets a preview looks at in one transaction, and how many of the most affected ones it lists. */
export interface PreviewSize {
  pageSize: number;
  mostListed: number;
}

const usualSize: PreviewSize = { pageSize: 250, mostListed: 1_000 };

/** A policy as it is after a change, in the transaction that made the change. */
interface Changed {
  version: number;
  terms: SlaTerms;
  calendar: CalendarJson;
}

/** Ends the transaction of a preview, so that nothing of it stays. */
class ChangeTried extends Error {
  readonly changed: Changed;

  constructor(changed: Changed) {
    super('A change was tried.');
    this.changed = changed;
  }
}

/**
 * What a change of a policy (the properties to change; none: the policy as it is) would do to the open tickets that it was
 * chosen for, if it were applied to them now. The change is made and taken back: what it refuses, applying refuses, too.
 * Every open ticket is looked at, page by page; what opens or ends meanwhile is seen or not.
 */
export async function previewPolicyChange(
  database: Database,
  { actor, receivedAt: at }: Pick<WriteContext, 'actor' | 'receivedAt'>,
  id: string,
  body: object,
  size: PreviewSize = usualSize,
): Promise<PolicyPreview> {
  const write = { actor, receivedAt: at, idempotencyKey: '', route: '', requestHash: '' };
  const { organizationId } = actor;
  const changed = await inOrganization(database, organizationId, async (em): Promise<Changed> => {
    throw new ChangeTried(await change(em, write, uuidv7(), id, body));
  }).catch((error: unknown) => {
    if (error instanceof ChangeTried) return error.changed;
    throw error;
  });
  const summary = new PreviewSummary(changed.version, size.mostListed);
  let after: string | null = null;
  do {
    const last = after;
    const page: string[] = await inOrganization(database, organizationId, async (em) => {
      const tickets = await readOpen(em, id, last, size.pageSize);
      for (const [ticket, clocks] of await effectsOn(em, tickets, changed, { organizationId, policyId: id }, at))
        summary.add(ticket, clocks, endsWait(ticket, changed.terms, at));
      return tickets.map((ticket) => ticket.id);
    });
    after = page.length < size.pageSize ? null : (page.at(-1) ?? null);
  } while (after !== null);
  return summary.preview();
}

/**
 * Changes a policy and applies it to the open tickets that it was chosen for: stored in one transaction with the event
 * that reaches each of their processes, which compute their clocks anew by this version.
 */
export async function applyPolicyChange(
  database: Database,
  write: WriteContext,
  id: string,
  body: object,
): Promise<Answer> {
  const { actor, receivedAt: at } = write;
  return writeOnce(database, write, async (em, commandId) => {
    const { version, terms } = await change(em, write, commandId, id, body);
    await em.execute(
      `update crm_core.crm_sla_policies set applied_version = ?, applied_terms = ?::jsonb
       where organization_id = ? and sla_policy_id = ?`,
      [version, JSON.stringify(terms), actor.organizationId, id],
    );
    const { organizationId } = actor;
    const traces: Change = { organizationId, actor, at, subjectType: 'sla_policy', subjectId: id, commandId };
    await insertRows(em, [
      timelineRow(traces, 'sla_policy.applied', `version ${version} applied to open tickets`, { version }),
      eventRow(traces, 'sla_policy.applied', { version }),
    ]);
    return { status: 200, body: { id, version, openTickets: await countOpen(em, id) } };
  });
}

/** Stores the change as a PATCH would, and reads the policy as it is then. */
async function change(
  em: EntityManager,
  write: WriteContext,
  commandId: string,
  id: string,
  body: object,
): Promise<Changed> {
  if (Object.keys(body).length === 0) await findWritable(em, write.actor, slaPolicies, id);
  else await updateRow({ em, write, commandId, resource: slaPolicies }, id, '*', { body, whole: false });
  const [changed]: Changed[] = await em.execute(
    `select p.version, ${termsSql} as terms, ${calendarSql} as calendar
     from crm_core.crm_sla_policies p
     left join crm_core.crm_calendars c on c.organization_id = p.organization_id and c.calendar_id = p.calendar_id
     where p.organization_id = ? and p.sla_policy_id = ?`,
    [write.actor.organizationId, id],
  );
  if (!changed) throw new Error(`The policy ${id} could not be read back.`);
  return changed;
}

const openWith = (policyId: string) => ({
  slaPolicyId: policyId,
  stage: { $in: ['queued', 'assigned'] },
  deletedAt: null,
});

const countOpen = (em: EntityManager, policyId: string): Promise<number> =>
  em.count(Ticket.entity, openWith(policyId) as never);

async function readOpen(em: EntityManager, policyId: string, after: string | null, limit: number) {
  const where = { ...openWith(policyId), ...(after === null ? {} : { id: { $gt: after } }) };
  const rows = await em.find(Ticket.entity, where as never, { orderBy: { id: 'asc' } as never, limit });
  return rows as unknown as TicketRow[];
}

/** Whether a ticket has waited too long by these terms, and not by those that it has. */
function endsWait(ticket: TicketRow, terms: SlaTerms, at: Date): boolean {
  const isOver = (by: WaitTerms) => {
    const end = endOfWait(ticket, by);
    return end !== null && end.dueAt <= at;
  };
  return isOver(terms) && !isOver(keptTerms(ticket.slaTerms));
}

/** What the changed policy would do to the clocks of each ticket. */
async function effectsOn(
  em: EntityManager,
  tickets: readonly TicketRow[],
  { version, terms, calendar }: Changed,
  { organizationId, policyId }: { organizationId: string; policyId: string },
  at: Date,
): Promise<(readonly [TicketRow, ClockEffect[]])[]> {
  const ids = tickets.map(({ id }) => id);
  const [lives, promises] = [await readLives(em, organizationId, ids), await readPromisesOf(em, organizationId, ids)];
  const compiled = calendarOf(calendar);
  return tickets.flatMap((ticket) => {
    const { priority, status, id } = ticket;
    const [life, owed] = [lives.get(id), promises.get(id)];
    if (!life || !owed) return [];
    const by: TermsInForce = { policyId, policyVersion: version, terms, calendar: compiled, priority, status };
    const after = reconcile(life.clocks, owed, by, { at, cause: 'preview' }, clockNumbers(life));
    return [[ticket, clockEffectsOf(life.clocks, after, at)] as const];
  });
}
