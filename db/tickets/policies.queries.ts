import type { EntityManager } from '@mikro-orm/postgresql';
import type { CompiledCalendar } from '../../workflows/calendars/business-time.ts';
import { aroundTheClock } from '../../workflows/calendars/around-the-clock.ts';
import type { CalendarHours } from '../../workflows/calendars/calendar.ts';
import type { PolicyCandidate } from '../../workflows/tickets/policy-choice.ts';
import type { SlaTerms } from '../../workflows/tickets/terms.ts';
import { organizationOf } from '../database.ts';
import { compiledCalendar } from '../calendars/compiled.ts';

/** An active policy with its terms and its calendar, ready to run by. */
export interface StoredPolicy extends PolicyCandidate {
  terms: SlaTerms;
  calendar: CompiledCalendar;
}

export type CalendarJson = (CalendarHours & { id: string; version: number }) | null;

/**
 * SQL of a calendar `c` as JSON, null when there is none. One that was deleted keeps its hours for what points to it:
 * no calendar would mean around the clock.
 */
export const calendarSql = `case when c.calendar_id is null then null else jsonb_build_object('id', c.calendar_id, 'version', c.version,
    'timeZone', c.time_zone, 'hours', c.hours, 'holidays', c.holidays, 'exceptions', c.exceptions) end`;

/** SQL of the terms of a policy `p` as JSON. */
export const termsSql = `jsonb_build_object('name', p.name, 'calendarId', p.calendar_id, 'targets', p.targets,
    'pauseStatuses', p.pause_statuses, 'pausedTargets', p.paused_targets, 'warnAt', p.warn_at,
    'escalation', p.escalation, 'closeAfterMinutes', p.close_after_minutes, 'reopenWithinMinutes', p.reopen_within_minutes,
    'resolveAfterMinutes', p.resolve_after_minutes, 'resumeAfterMinutes', p.resume_after_minutes)`;

/** SQL of the active policies of the organisation `?` as a JSON list, in the order in which they are asked. */
export const policiesSql = `
  select coalesce(jsonb_agg(jsonb_build_object('id', p.sla_policy_id, 'version', p.version, 'name', p.name, 'position', p.position,
      'when', p.condition, 'terms', ${termsSql}, 'calendar', ${calendarSql}) order by p.position, p.sla_policy_id), '[]')
  from crm_core.crm_sla_policies p
  left join crm_core.crm_calendars c on c.organization_id = p.organization_id and c.calendar_id = p.calendar_id
  where p.organization_id = ? and p.active and p.deleted_at is null`;

type PolicyJson = Omit<StoredPolicy, 'calendar'> & { calendar: CalendarJson };

/** A calendar as it came from the database, ready for arithmetic; none is around the clock. */
export function calendarOf(calendar: CalendarJson): CompiledCalendar {
  return calendar ? compiledCalendar(calendar) : aroundTheClock;
}

/** What `policiesSql` gave, ready to run by. */
export function policiesOf(json: readonly PolicyJson[]): StoredPolicy[] {
  return json.map(({ calendar, ...policy }) => ({ ...policy, calendar: calendarOf(calendar) }));
}

/** The active policies of the transaction's organisation, in the order in which they are asked. */
export async function readPolicies(em: EntityManager): Promise<StoredPolicy[]> {
  const [row]: { policies: PolicyJson[] }[] = await em.execute(`select (${policiesSql}) as policies`, [
    organizationOf(em),
  ]);
  return policiesOf(row?.policies ?? []);
}
