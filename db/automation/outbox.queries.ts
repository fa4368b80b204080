import { isSuspended } from '../access/membership.queries.ts';
import { type Database, statementAcrossOrganizations as execute } from '../database.ts';

/** A domain event on its way to its subscribers. */
export interface UndeliveredEvent {
  id: string;
  organizationId: string;
  kind: string;
  subjectId: string;
  payload: Readonly<Record<string, unknown>>;
  occurredAt: Date;
}

/** A notification with its event and the address of whom it is for. */
export interface AddressedNotification {
  eventId: string;
  organizationId: string;
  email: string;
  title: string;
  body: string;
}

/** Puts the oldest events that nobody carries into a batch, at most `limit`; answers how many. Relays share them out. */
export async function claimEvents(relay: Database, batchId: string, limit: number): Promise<number> {
  const claimed = await execute(
    relay,
    `with free as (
       select event_id from crm_core.crm_outbox where delivered_at is null and batch_id is null
       order by occurred_at, event_id limit ? for update skip locked)
     update crm_core.crm_outbox o
     set batch_id = ?, claimed_at = now(), updated_at = now(), version = version + 1
     from free where o.event_id = free.event_id returning o.event_id`,
    [limit, batchId],
  );
  return claimed.length;
}

/**
 * Batches that may have no workflow: claimed half a minute ago and not tried once, or undelivered for five minutes
 * whatever was tried. Each is answered to one relay, and again after as long as before.
 */
export async function claimStalledBatches(relay: Database, limit: number): Promise<string[]> {
  const batches = await execute<{ batch_id: string }>(
    relay,
    `with stalled as (
       select event_id from crm_core.crm_outbox
       where delivered_at is null and batch_id is not null
         and claimed_at < now() - case when attempts = 0 then interval '30 seconds' else interval '5 minutes' end
       order by claimed_at, event_id limit ? for update skip locked),
     claimed as (
       update crm_core.crm_outbox o set claimed_at = now(), updated_at = now(), version = version + 1
       from stalled where o.event_id = stalled.event_id returning o.batch_id)
     select distinct batch_id from claimed`,
    [limit],
  );
  return batches.map(({ batch_id }) => batch_id);
}

/** What is still undelivered in a batch, oldest first. */
export async function readUndelivered(relay: Database, batchId: string): Promise<UndeliveredEvent[]> {
  return execute<UndeliveredEvent>(
    relay,
    `select event_id as id, organization_id as "organizationId", kind, subject_id as "subjectId", payload, occurred_at as "occurredAt"
     from crm_core.crm_outbox where batch_id = ? and delivered_at is null order by occurred_at, event_id`,
    [batchId],
  );
}

/** Events are delivered; `failure` says what came of one that its recipient refused for good. */
export async function markDelivered(
  relay: Database,
  eventIds: readonly string[],
  failure: string | null = null,
): Promise<void> {
  if (eventIds.length === 0) return;
  await execute(
    relay,
    `update crm_core.crm_outbox
     set delivered_at = now(), attempts = attempts + 1, last_failure = ?, updated_at = now(), version = version + 1
     where event_id = any(?::uuid[]) and delivered_at is null`,
    [failure, `{${eventIds.join(',')}}`],
  );
}

/** An attempt to deliver events has failed; `failure` holds no personal data. */
export async function noteFailure(relay: Database, eventIds: readonly string[], failure: string): Promise<void> {
  await execute(
    relay,
    `update crm_core.crm_outbox set attempts = attempts + 1, last_failure = ?, updated_at = now(), version = version + 1
     where event_id = any(?::uuid[]) and delivered_at is null`,
    [failure.slice(0, 500), `{${eventIds.join(',')}}`],
  );
}

/** The notifications behind events, oldest first; none where it is gone by now, or the user does not work here any more or is locked out. */
export async function readNotifications(
  relay: Database,
  events: readonly { eventId: string; organizationId: string; notificationId: string }[],
): Promise<AddressedNotification[]> {
  return execute<AddressedNotification>(
    relay,
    `select e."eventId", n.organization_id as "organizationId", u.email, n.title, n.body
     from jsonb_to_recordset(?::jsonb) as e("eventId" uuid, "organizationId" uuid, "notificationId" uuid)
     join crm_core.crm_notifications n on n.notification_id = e."notificationId" and n.organization_id = e."organizationId"
     join crm_core.crm_users u on u.user_id = n.user_id
     where n.deleted_at is null and u.active and u.deleted_at is null and not ${isSuspended('u')}
     order by n.created_at, n.notification_id`,
    [JSON.stringify(events)],
  );
}
