import type { EntityManager } from '@mikro-orm/postgresql';
import type { CompiledCalendar } from '../../workflows/calendars/business-time.ts';
import { compileCalendar } from '../../workflows/calendars/business-time.ts';
import type { LeadStep } from '../../workflows/leads/policy.ts';
import { defaultTouchLadder, nextStep, planLadder, type TouchLadder } from '../../workflows/leads/touch-ladder.ts';
import type { LeadRow } from './lead-state.queries.ts';
import { readCalendarOf } from './teams.queries.ts';

type Waiting = Pick<
  LeadRow,
  'id' | 'stage' | 'round' | 'assignedUserId' | 'assignedAt' | 'lastActivityAt' | 'touchedAt' | 'assignmentRuleId'
>;

/** What the process waits for next; both null when nothing is planned. */
export interface NextStep {
  nextStep: LeadStep | null;
  nextDueAt: Date | null;
}

const everyDay = [{ from: '00:00', to: '24:00' }];
const aroundTheClock = compileCalendar({
  timeZone: 'UTC',
  hours: {
    monday: everyDay,
    tuesday: everyDay,
    wednesday: everyDay,
    thursday: everyDay,
    friday: everyDay,
    saturday: everyDay,
    sunday: everyDay,
  },
  holidays: [],
  exceptions: [],
});

/** The first step of a lead just assigned, from a ladder and calendar at hand. */
export function firstStep(
  ladder: TouchLadder | null,
  calendar: CompiledCalendar | null,
  round: number,
  startedAt: Date,
): NextStep {
  const plan = planLadder({
    ladder: ladder ?? defaultTouchLadder,
    stage: 'assigned',
    round,
    calendar: calendar ?? aroundTheClock,
    startedAt,
  });
  const step = nextStep(plan, []);
  return { nextStep: step?.step ?? null, nextDueAt: step?.dueAt ?? null };
}

/**
 * The next step of a lead by the ladder of its rule and the calendar of its assignee, both as they are now; steps taken
 * since it was assigned or last touched are not taken again.
 */
export async function planNext(em: EntityManager, lead: Waiting): Promise<NextStep> {
  const startedAt = lead.stage === 'touched' ? (lead.lastActivityAt ?? lead.touchedAt) : lead.assignedAt;
  if ((lead.stage !== 'assigned' && lead.stage !== 'touched') || startedAt === null)
    return { nextStep: null, nextDueAt: null };
  const ladder = await readLadder(em, lead.assignmentRuleId);
  const calendar = (await readCalendarOf(em, lead.assignedUserId)) ?? aroundTheClock;
  const taken: { step: LeadStep }[] = await em.execute(
    'select step from crm_core.crm_lead_steps where lead_id = ? and round = ? and due_at > ? and deleted_at is null',
    [lead.id, lead.round, startedAt],
  );
  const step = nextStep(
    planLadder({ ladder, stage: lead.stage, round: lead.round, calendar, startedAt }),
    taken.map((one) => one.step),
  );
  return { nextStep: step?.step ?? null, nextDueAt: step?.dueAt ?? null };
}

async function readLadder(em: EntityManager, assignmentRuleId: string | null): Promise<TouchLadder> {
  const [row]: { ladder: TouchLadder | null }[] = await em.execute(
    'select ladder from crm_core.crm_assignment_rules where assignment_rule_id = ?',
    [assignmentRuleId],
  );
  return row?.ladder ?? defaultTouchLadder;
}
