import type { EntityManager } from '@mikro-orm/postgresql';
import { nextTry } from '../../workflows/assignment/next-try.ts';
import { aroundTheClock } from '../../workflows/calendars/around-the-clock.ts';
import type { CompiledCalendar } from '../../workflows/calendars/business-time.ts';
import type { ChasingStep } from '../../workflows/leads/policy.ts';
import {
  defaultTouchLadder,
  nextStep,
  type TakenStep,
  type TouchLadder,
  type Waiting,
} from '../../workflows/leads/touch-ladder.ts';
import type { LeadRow } from './lead-state.queries.ts';
import { readCalendarOf, type TeamLoad } from '../assignment/teams.queries.ts';

type WaitingLead = Pick<
  LeadRow,
  | 'id'
  | 'organizationId'
  | 'stage'
  | 'round'
  | 'assignedUserId'
  | 'assignedAt'
  | 'lastActivityAt'
  | 'touchedAt'
  | 'assignmentRuleId'
  | 'nextStep'
  | 'nextDueAt'
>;

/** What the process waits for next; both null when nothing is planned. */
export interface NextStep {
  nextStep: string | null;
  nextDueAt: Date | null;
}

/** The first step of a lead just assigned, from a ladder and calendar at hand. */
export function firstStep(
  ladder: TouchLadder | null,
  calendar: CompiledCalendar | null,
  round: number,
  startedAt: Date,
): NextStep {
  return planned(
    {
      ladder: ladder ?? defaultTouchLadder,
      stage: 'assigned',
      round,
      calendar: calendar ?? aroundTheClock,
      startedAt,
    },
    [],
  );
}

/** The step of a lead that nobody of these teams could be given at the instant `at`. */
export function ownerlessStep(at: Date, teams: readonly TeamLoad[]): NextStep {
  return { nextStep: 'find_owner', nextDueAt: nextTry(at, teams) };
}

/**
 * The next step of a lead by the ladder of its rule and the calendar of its assignee, both as they are now; steps taken
 * since it was assigned or last touched count as taken. One without an owner goes on waiting for one.
 */
export async function planNext(em: EntityManager, lead: WaitingLead): Promise<NextStep> {
  const { organizationId, stage, round, assignedUserId, nextStep, nextDueAt } = lead;
  if (assignedUserId === null && nextStep === 'find_owner') return { nextStep, nextDueAt };
  const startedAt = waitsSince(lead);
  if ((stage !== 'assigned' && stage !== 'touched') || startedAt === null) return { nextStep: null, nextDueAt: null };
  const ladder = await readLadder(em, organizationId, lead.assignmentRuleId);
  const calendar = (await readCalendarOf(em, assignedUserId)) ?? aroundTheClock;
  const taken: { step: ChasingStep; detectedAt: string }[] = await em.execute(
    `select step, detected_at as "detectedAt" from crm_core.crm_lead_steps
     where organization_id = ? and lead_id = ? and round = ? and due_at > ? and deleted_at is null`,
    [organizationId, lead.id, round, startedAt],
  );
  return planned(
    { ladder, stage, round, calendar, startedAt },
    taken.map(({ step, detectedAt }) => ({ step, detectedAt: new Date(detectedAt) })),
  );
}

/** Since when the owner has it to touch, or to go on with: a touched lead may have got another owner since. */
function waitsSince({ stage, assignedAt, lastActivityAt, touchedAt }: WaitingLead): Date | null {
  const activeAt = stage === 'touched' ? (lastActivityAt ?? touchedAt) : null;
  return activeAt !== null && (assignedAt === null || activeAt > assignedAt) ? activeAt : assignedAt;
}

function planned(waiting: Waiting, taken: readonly TakenStep[]): NextStep {
  const next = nextStep(waiting, taken);
  return { nextStep: next?.step ?? null, nextDueAt: next?.dueAt ?? null };
}

async function readLadder(
  em: EntityManager,
  organizationId: string,
  assignmentRuleId: string | null,
): Promise<TouchLadder> {
  const [row]: { ladder: TouchLadder | null }[] = await em.execute(
    'select ladder from crm_core.crm_assignment_rules where organization_id = ? and assignment_rule_id = ?',
    [organizationId, assignmentRuleId],
  );
  return row?.ladder ?? defaultTouchLadder;
}
