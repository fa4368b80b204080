import { setTimeout as pause } from 'node:timers/promises';
import type { EntityManager } from '@mikro-orm/postgresql';
import type { Actor } from '../db/access/actor.ts';
import { storeAnswer } from '../db/automation/answers.queries.ts';
import { type Database, inOrganization } from '../db/database.ts';
import { lockContacts } from '../db/leads/contact-locks.queries.ts';
import { lockCapture } from '../db/leads/intake.queries.ts';
import { leadAnswer, type LeadRow, lockLead, findLead, plannedStep } from '../db/leads/lead-state.queries.ts';
import type { Change } from '../db/model/changes.ts';
import { Problem } from '../db/model/problem.ts';
import { emailDomain, type EmailStatus } from '../workflows/leads/facts.ts';
import { leadProcess } from '../workflows/leads/messages.ts';
import type { AppliedMessage } from '../workflows/processes/envelope.ts';
import { stageRefusal } from '../workflows/processes/messages.ts';
import { decide } from './leads/intake.ts';
import { applyToLead } from './leads/messages.ts';
import { passOn, replan } from './leads/planning.ts';
import { takeStep } from './leads/steps.ts';
import type { LeadActivities, LeadRef, LeadState } from './leads.types.ts';
import type { MailExchange } from './ports.ts';
import { receivedMessage } from './received-message.ts';

/** The effects of the lead intake on rows (DOMAIN, processes 1 and 2), each in one transaction. */
export function createLeadActivities({
  database,
  mailExchange,
}: {
  database: Database;
  mailExchange: MailExchange;
}): LeadActivities {
  const onLocked = (
    { organizationId, leadId }: LeadRef,
    work: (em: EntityManager, lead: LeadRow) => Promise<LeadRow>,
    regrouped: readonly string[] = [],
  ) =>
    inOrganization(database, organizationId, async (em) => {
      if (regrouped.length > 0) await lockContacts(em, organizationId, regrouped);
      const lead = await lockLead(em, leadId);
      if (!lead) throw new Problem('not_found', `There is no lead ${leadId}.`);
      return leadState(await work(em, lead));
    });

  return {
    async decideIntake({ organizationId, leadId, at }) {
      const lookUp = async (email: string | null) =>
        email === null ? 'unknown' : mailExchange.lookup(emailDomain(email));
      const attempt = (statusOf: (email: string | null) => Promise<EmailStatus | null>) =>
        inOrganization(database, organizationId, async (em): Promise<{ lead: LeadRow } | { email: string | null }> => {
          const capture = await lockCapture(em, organizationId, leadId);
          if (!capture) return { lead: await findDecided(em, leadId) };
          const { email } = capture.intake;
          const status = await statusOf(email);
          return status === null ? { email } : { lead: await decide(em, capture, status, new Date(at)) };
        });

      const first = await attempt((email) => soon(lookUp(email)));
      if ('lead' in first) return leadState(first.lead);
      // A slow look-up is waited for without a transaction and its locks.
      const status = await lookUp(first.email);
      const second = await attempt(() => Promise.resolve(status));
      if ('lead' in second) return leadState(second.lead);
      throw new Error(`The intake of lead ${leadId} was not decided`);
    },

    applyMessage: ({ message, ...ref }) =>
      onLocked(ref, (em, lead) => applyOnce(em, ref, lead, message), regroupedBy(message, ref.leadId)),

    takeStep: ({ organizationId, leadId, ...due }) =>
      onLocked({ organizationId, leadId }, async (em, lead) => {
        if (lead.deletedAt !== null || lead.status !== 'open') return lead;
        return takeStep(em, byProcess({ organizationId, leadId }, new Date(due.detectedAt)), lead, due);
      }),

    replan: ({ at, freedUserId, ...ref }) =>
      onLocked(ref, async (em, lead) => {
        const change = byProcess(ref, new Date(at));
        const { round } = lead;
        const after = lead.deletedAt === null && lead.status === 'open' ? await replan(em, change, lead) : lead;
        if (freedUserId !== undefined) await passOn(em, change, after, round, freedUserId);
        return after;
      }),
  };
}

/** The leads that a message puts together or takes apart: captures of the same people wait for it. */
function regroupedBy({ name, payload: { intoLeadId } }: AppliedMessage, leadId: string): string[] {
  if (name === 'unmerge') return [leadId];
  return name === 'merge' && typeof intoLeadId === 'string' ? [leadId, intoLeadId] : [];
}

/** What most DNS servers have answered by; a transaction that waits so long holds up nobody but the same person. */
const soonMilliseconds = 25;

/** What a promise resolves to soon, else null. */
async function soon<T>(promise: Promise<T>): Promise<T | null> {
  const passed = new AbortController();
  const late = pause(soonMilliseconds, null, { signal: passed.signal }).catch(() => null);
  const outcome = await Promise.race([promise, late]);
  passed.abort();
  return outcome;
}

/** A lead whose capture the ledger has forgotten was decided on long ago. */
async function findDecided(em: EntityManager, leadId: string): Promise<LeadRow> {
  const lead = await findLead(em, leadId);
  if (!lead) throw new Problem('not_found', `The command ledger has no capture for lead ${leadId}.`);
  return lead;
}

/** A message whose command has an answer, or whose key is noted, was applied before: the lead as it is, no second effect. */
async function applyOnce(
  em: EntityManager,
  { organizationId }: LeadRef,
  lead: LeadRow,
  message: AppliedMessage,
): Promise<LeadRow> {
  const { name } = message;
  const received = await receivedMessage(em, leadProcess, { organizationId, subjectId: lead.id }, message);
  const { change, payload, isRepeated } = received;
  if (isRepeated) return lead;
  if (lead.deletedAt !== null) throw new Problem('not_found', `There is no lead ${lead.id}.`);
  if (name in leadProcess.signals) {
    if (lead.status !== 'open') return lead;
  } else {
    const refusal = stageRefusal(leadProcess, name, lead.stage);
    if (refusal) throw new Problem(refusal.code, refusal.message, refusal.errors);
  }
  const after = await applyToLead(em, change, lead, name, payload);
  if (change.commandId) await storeAnswer(em, change.commandId, 200, await leadAnswer(em, change.actor, after));
  return after;
}

function byProcess({ organizationId, leadId }: LeadRef, at: Date): Change {
  const actor: Actor = { kind: 'process', organizationId, process: leadProcess.name, recordId: leadId };
  return { organizationId, actor, at, subjectType: 'lead', subjectId: leadId, commandId: null };
}

function leadState(lead: LeadRow): LeadState {
  const { stage, status, round } = lead;
  const next = plannedStep(lead);
  return {
    stage,
    status,
    score: lead.score ?? undefined,
    band: lead.band ?? undefined,
    priority: lead.urgency ?? undefined,
    assignedUserId: lead.assignedUserId ?? undefined,
    round,
    next: next ? { step: next.step, dueAt: next.dueAt } : undefined,
    mergedIntoLeadId: lead.mergedIntoLeadId ?? undefined,
    isDeleted: lead.deletedAt === null ? undefined : true,
  };
}
