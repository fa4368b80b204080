import type { EntityManager } from '@mikro-orm/postgresql';
import { ticketProcess } from '../../workflows/tickets/messages.ts';
import type { Actor } from '../access/actor.ts';
import { isUndecided } from '../automation/undecided.queries.ts';
import { type Database, inOrganization } from '../database.ts';
import { findVisible } from '../model/row-access.ts';
import { keptTerms } from '../../workflows/tickets/terms.ts';
import type { TicketRow } from './ticket-state.queries.ts';
import { tickets } from './ticket.ts';

/** What the rows tell of a ticket's process, also after Temporal has forgotten it. */
export interface TicketProcess {
  stage: string;
  status: string;
  waitsFor: { step: string; dueAt: string; userId: string | null } | null;
  explanation: Record<string, unknown>;
}

/** The state of a ticket's process and how it came about. Problem `not_found` for a ticket that the caller may not see. */
export async function readTicketProcess(database: Database, actor: Actor, id: string): Promise<TicketProcess> {
  return inOrganization(database, actor.organizationId, async (em) => {
    if (await isUndecided(em, actor, { resource: tickets, process: ticketProcess.name }, id))
      return { stage: 'received', status: 'open', waitsFor: null, explanation: {} };
    const ticket = (await findVisible(em, actor, tickets, id)) as unknown as TicketRow;
    const { stage, status, nextStep, nextDueAt, assignedUserId } = ticket;
    const isPlanned = nextStep !== null && nextDueAt !== null;
    return {
      stage,
      status,
      waitsFor: isPlanned ? { step: nextStep, dueAt: nextDueAt.toISOString(), userId: assignedUserId } : null,
      explanation: await explain(em, ticket),
    };
  });
}

// Of the clocks every one that is open: the resolution's is the oldest, however much was written since.
const explanationSql = `
  with known as (
    select *, row_number() over (partition by ended_at is null order by started_at desc) as place
    from crm_core.crm_sla_clocks where organization_id = ? and ticket_id = ? and deleted_at is null)
  select
    (select coalesce(jsonb_agg(jsonb_build_object('id', sla_clock_id, 'target', target, 'ordinal', ordinal, 'state', state,
        'breached', breached, 'priority', priority, 'targetMinutes', target_minutes,
        'policy', jsonb_build_object('id', sla_policy_id, 'version', sla_policy_version), 'calendarId', calendar_id,
        'startedAt', started_at, 'dueAt', due_at, 'intervals', intervals, 'changes', changes, 'metAt', met_at,
        'breachedAt', breached_at, 'breachDetectedAt', breach_detected_at, 'endedAt', ended_at, 'elapsedMinutes', elapsed_minutes)
        order by started_at desc, target), '[]')
      from known where ended_at is null or place <= 50) as clocks,
    (select coalesce(jsonb_agg(jsonb_build_object('round', round, 'userId', user_id, 'teamId', team_id, 'reason', reason,
        'overCapacity', over_capacity, 'rule', jsonb_build_object('id', routing_rule_id, 'version', routing_rule_version),
        'decidedAt', decided_at, 'candidates', candidates, 'rulesTried', rules_tried) order by round desc), '[]')
      from (select * from crm_core.crm_ticket_assignments where organization_id = ? and ticket_id = ? order by round desc limit 20) a) as routings,
    (select coalesce(jsonb_agg(jsonb_build_object('step', step, 'target', target, 'clockId', sla_clock_id, 'dueAt', due_at,
        'detectedAt', detected_at, 'userId', user_id, 'outcome', outcome) order by due_at, detected_at), '[]')
      from (select * from crm_core.crm_ticket_steps where organization_id = ? and ticket_id = ? order by due_at desc limit 100) s) as steps,
    (select coalesce(jsonb_agg(jsonb_build_object('survivorId', survivor_id, 'mergedId', merged_id, 'evidence', evidence,
        'mergedAt', merged_at) order by merged_at), '[]')
      from (select * from crm_core.crm_merges where organization_id = ? and ? in (survivor_id, merged_id) order by merged_at desc limit 50) m) as merges,
    (select coalesce(jsonb_agg(jsonb_build_object('ticketId', ticket_id, 'number', number) order by number), '[]')
      from (select * from crm_core.crm_tickets where organization_id = ? and follow_up_of_ticket_id = ? order by number desc limit 20) f) as "followUps"`;

interface Stored {
  clocks: Record<string, unknown>[];
  routings: Record<string, unknown>[];
  steps: Record<string, unknown>[];
  merges: Record<string, unknown>[];
  followUps: Record<string, unknown>[];
}

/** Newest decision first: which policy and why, who got it and why, and every minute of each clock. */
async function explain(em: EntityManager, ticket: TicketRow): Promise<Record<string, unknown>> {
  const [stored]: Stored[] = await em.execute(explanationSql, Array(5).fill([ticket.organizationId, ticket.id]).flat());
  const [routing, ...earlierRoutings] = stored?.routings ?? [];
  const { slaPolicyId: id, slaPolicyVersion: version, slaTerms: terms } = ticket;
  return {
    policy: id === null ? null : { id, version, terms },
    policiesTried: ticket.policiesTried ?? [],
    routing: routing ?? null,
    earlierRoutings,
    routeAgainAt: ticket.routeAgainAt?.toISOString() ?? null,
    waiting: waitingOf(ticket),
    clocks: stored?.clocks ?? [],
    steps: stored?.steps ?? [],
    merges: stored?.merges ?? [],
    followUpOfTicketId: ticket.followUpOfTicketId,
    followUps: stored?.followUps ?? [],
  };
}

/** Since when a ticket waits for somebody outside, and for how long by its terms, also without a policy; null: it does not. */
function waitingOf({ waitingSince, waitCount: times, slaTerms }: TicketRow): Record<string, unknown> | null {
  if (waitingSince === null) return null;
  const { resolveAfterMinutes, resumeAfterMinutes } = keptTerms(slaTerms);
  return { since: waitingSince.toISOString(), times, resolveAfterMinutes, resumeAfterMinutes };
}
