import type { Database } from '../../../db/database.ts';
import { form, type House, makeHouse } from './house.ts';

/** A Monday morning, and a ladder in minutes of the clock: the house has no calendar. */
export const monday = new Date('2026-11-23T09:00:00.000Z');
const ladder = {
  remindOwnerAfterMinutes: 10,
  tellManagerAfterMinutes: 20,
  reassignAfterMinutes: 30,
  maxRounds: 2,
  remindIdleAfterMinutes: 100,
  closeStaleAfterMinutes: 200,
};

/** A house with one untouched lead of that morning. */
export async function chasedLead(database: Database, users?: (house: House['org']) => Promise<House['users']>) {
  const house = await makeHouse(database, { rule: { ladder }, ...(users ? { users } : {}) });
  return { house, ...(await house.capture(form(), { receivedAt: monday })) };
}

/** Who was told what about a lead, in order. */
export const notificationsOf = (house: House, leadId: string) =>
  house.sql<{ kind: string; user_id: string }>(
    'select kind, user_id from crm_core.crm_notifications where subject_id = ? order by notification_id',
    [leadId],
  );

/** The deadlines of a lead that passed. */
export const stepsOf = (house: House, leadId: string) =>
  house.sql<Record<string, unknown>>(
    'select step, round, outcome, user_id, due_at, detected_at from crm_core.crm_lead_steps where lead_id = ? order by due_at',
    [leadId],
  );
