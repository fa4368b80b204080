import { weekdays } from '../../workflows/calendars/calendar.ts';
import { assignmentRules } from '../leads/assignment-rule.ts';
import { scoringModels } from '../leads/scoring-model.ts';
import { ticketRoutingRules } from '../tickets/routing-rule.ts';
import { slaPolicies } from '../tickets/sla-policy.ts';
import type { Founding } from './new-organization.ts';
import { teamMembers } from './team-member.ts';
import { teams } from './team.ts';

const workingDays = weekdays.filter((weekday) => weekday !== 'saturday' && weekday !== 'sunday');

/** From nine to five on working days, in an IANA time zone: body of a calendar. */
export const standardCalendar = (timeZone: string): Record<string, unknown> => ({
  name: 'Business hours',
  timeZone,
  hours: Object.fromEntries(workingDays.map((weekday) => [weekday, [{ from: '09:00', to: '17:00' }]])),
});

/**
 * What lead intake and tickets need to work at once, to be changed as the organisation grows: one team, which its
 * administrator manages and is the first member of, gets every lead and every ticket; a score; a promise.
 */
export async function furnishStandard({
  create,
  administratorId,
  calendarId,
}: Founding): Promise<{ fallbackUserId: string }> {
  const teamId = await create(teams, { name: 'Front office', managerUserId: administratorId });
  await create(teamMembers, { teamId, userId: administratorId });
  await create(scoringModels, {
    name: 'Standard',
    fitWeight: 0.5,
    engagementWeight: 0.5,
    fit: [
      { label: 'Can be called', when: 'hasPhone', points: 40 },
      { label: 'Business mail', when: 'hasEmail && !freeMail', points: 30 },
      { label: 'Urgent', when: 'urgency == "high"', points: 30 },
    ],
    engagement: [
      { activityType: 'meeting', points: 50, halfLifeDays: 21 },
      { activityType: 'call', points: 30, halfLifeDays: 14 },
      { activityType: 'email', points: 15, halfLifeDays: 7 },
    ],
    bands: { warm: 25, hot: 50 },
  });
  const everything = { name: 'Everything', position: 1_000, when: 'true', teamId, strategy: 'round_robin' };
  await create(assignmentRules, everything);
  await create(ticketRoutingRules, everything);
  await create(slaPolicies, {
    name: 'Everybody',
    position: 1_000,
    when: 'true',
    calendarId,
    targets: {
      P1: { first_response: 60, resolution: 480 },
      P2: { first_response: 240, resolution: 960 },
      P3: { first_response: 480, resolution: 2_400 },
      P4: { first_response: 960 },
    },
  });
  return { fallbackUserId: administratorId };
}
