import type { EntityManager } from '@mikro-orm/postgresql';
import { v7 as uuidv7 } from 'uuid';
import { type Clock, type Judgement, rejudge } from '../../workflows/tickets/clocks.ts';
import { clockEffects, clockEffectsOf, type PolicyPreview } from '../../workflows/tickets/policy-preview.ts';
import { missingClocks } from '../../workflows/tickets/promises.ts';
import type { SlaTerms } from '../../workflows/tickets/terms.ts';
import { type Answer, writeOnce, type WriteContext } from '../automation/ledger.queries.ts';
import { type Database, inOrganization } from '../database.ts';
import { type Change, eventRow, timelineRow } from '../model/changes.ts';
import { findWritable } from '../model/row-access.ts';
import { updateRow } from '../model/row-writes.ts';
import { insertRows } from '../model/set-based.ts';
import { readLife, readOpenPromises } from './life.queries.ts';
import { type CalendarJson, calendarOf, calendarSql, termsSql } from './policies.queries.ts';
import { slaPolicies } from './sla-policy.ts';
import type { TicketRow } from './ticket-state.queries.ts';
import { Ticket } from './ticket.ts';

const mostTickets = 1_000;

/** A policy as it is after a change, in the transaction that made the change. */
interface Changed {
  version: number;
  terms: SlaTerms;
  calendar: CalendarJson;
}

/** Ends the transaction of a preview, so that nothing of it stays. */
class PreviewMade extends Error {
  readonly preview: PolicyPreview;

  constructor(preview: PolicyPreview) {
    super('A preview was made.');
    this.preview = preview;
  }
}

/**
 * What a change of a policy (the properties to change; none: the policy as it is) would do to the open tickets that it was
 * chosen for, if it were applied to them now. The change is made and taken back: what it refuses, applying refuses, too.
 */
export async function previewPolicyChange(
  database: Database,
  { actor, receivedAt: at }: Pick<WriteContext, 'actor' | 'receivedAt'>,
  id: string,
  body: object,
): Promise<PolicyPreview> {
  const write = { actor, receivedAt: at, idempotencyKey: '', route: '', requestHash: '' };
  const made = inOrganization(database, actor.organizationId, async (em) => {
    throw new PreviewMade(await previewIn(em, await change(em, write, uuidv7(), id, body), id, at));
  });
  return made.catch((error: unknown) => {
    if (error instanceof PreviewMade) return error.preview;
    throw error;
  });
}

/**
 * Changes a policy and applies it to the open tickets that it was chosen for: stored in one transaction with the event
 * that reaches each of their processes, which judge themselves again by this version.
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
     left join crm_core.crm_calendars c
       on c.organization_id = p.organization_id and c.calendar_id = p.calendar_id and c.deleted_at is null
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

async function previewIn(em: EntityManager, changed: Changed, policyId: string, at: Date): Promise<PolicyPreview> {
  const rows = (await em.find(Ticket.entity, openWith(policyId) as never, {
    orderBy: [{ openedAt: 'asc' }, { id: 'asc' }] as never,
    limit: mostTickets,
    disableIdentityMap: true,
  })) as unknown as TicketRow[];
  const tickets: PolicyPreview['tickets'] = [];
  for (const ticket of rows) {
    const { before, after } = await judgedBy(em, ticket, changed, policyId, at);
    const clocks = clockEffectsOf(before, after, at);
    if (clocks.length > 0) tickets.push({ ticketId: ticket.id, number: ticket.number, clocks });
  }
  const all = tickets.flatMap(({ clocks }) => clocks);
  const counted = clockEffects.map((name) => [name, all.filter(({ effect }) => effect === name).length]);
  return {
    version: changed.version,
    openTickets: await countOpen(em, policyId),
    examined: rows.length,
    effects: Object.fromEntries(counted) as PolicyPreview['effects'],
    tickets,
  };
}

async function judgedBy(
  em: EntityManager,
  ticket: TicketRow,
  { version, terms, calendar }: Changed,
  policyId: string,
  at: Date,
): Promise<{ before: Clock[]; after: Clock[] }> {
  const { clocks: before, ordinals } = await readLife(em, ticket);
  const { priority, status } = ticket;
  const by: Judgement = { policyId, policyVersion: version, terms, calendar: calendarOf(calendar), priority, status };
  const judged = before.map((clock) => rejudge(clock, by, at, 'preview'));
  const open = judged.filter(({ endedAt }) => endedAt === null);
  const begun = missingClocks(open, await readOpenPromises(em, ticket), by, (target) => ({
    id: `${ticket.id}:${target}`,
    ordinal: (ordinals[target] ?? 0) + 1,
  }));
  return { before, after: [...judged, ...begun] };
}
