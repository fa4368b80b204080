import { activityInfo, heartbeat, sleep } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import { readAffectedProcesses } from '../db/automation/affected-processes.queries.ts';
import { markDelivered, noteFailure, readUndelivered, type UndeliveredEvent } from '../db/automation/outbox.queries.ts';
import type { AutomationActivities } from './automation.types.ts';
import { notificationMails } from './automation/notification-mails.ts';
import { createSubscribers, type SubscriberDeps } from './automation/subscribers.ts';
import { tellProcess } from './automation/tell-process.ts';
import { notificationEvent } from './notifications.ts';
import { MailRefused } from './ports.ts';

const pageSize = 500;
/** Deliveries of one batch on their way at the same time. */
const atOnce = 5;
/** Marked in one statement: so many at most are delivered again, under their old key, by whoever follows a dead worker. */
const markedTogether = 10;
/** An attempt ends before its time-out (two minutes) with what it could not get to: two never overlap. */
const longestAttemptMilliseconds = 60_000;
const beatMilliseconds = 5_000;

/** Something to do, and the events that are settled with it. */
interface Delivery {
  eventIds: string[];
  run: () => Promise<void>;
}

/** Delivery of domain events, and the fan-out of configuration changes to running processes. */
export function createAutomationActivities(deps: SubscriberDeps): AutomationActivities {
  const { relay, database, temporal } = deps;
  const subscriberOf = createSubscribers(deps);

  /** What became of a delivery: taken over, refused for good (and noted so), or neither (noted as well). */
  async function deliver({ eventIds, run }: Delivery): Promise<'delivered' | 'refused' | 'failed'> {
    try {
      await run();
      return 'delivered';
    } catch (error) {
      if (error instanceof MailRefused) {
        await markDelivered(relay, eventIds, error.message);
        return 'refused';
      }
      await noteFailure(relay, eventIds, describe(error));
      return 'failed';
    }
  }

  /** What has to be done for the events of a batch; those that ask for nothing are settled at once. */
  async function deliveriesOf(events: readonly UndeliveredEvent[]): Promise<Delivery[]> {
    const notifications = events.filter(({ kind }) => kind === notificationEvent);
    const { mails, needless } = await notificationMails(relay, deps.mail, notifications);
    const others = events.filter(({ kind }) => kind !== notificationEvent);
    const unheard = others.filter(({ kind }) => subscriberOf(kind) === undefined).map(({ id }) => id);
    await markDelivered(relay, [...needless, ...unheard]);
    return [
      ...mails.map(({ eventIds, send }) => ({ eventIds, run: send })),
      ...others.flatMap((event) => {
        const subscriber = subscriberOf(event.kind);
        return subscriber ? [{ eventIds: [event.id], run: () => subscriber(event) }] : [];
      }),
    ];
  }

  /** Throws when something is undelivered in the end. */
  async function deliverAll(batchId: string): Promise<void> {
    const endsAt = performance.now() + longestAttemptMilliseconds;
    const events = await readUndelivered(relay, batchId);
    const waiting = await deliveriesOf(events);
    let undelivered = waiting.reduce((sum, { eventIds }) => sum + eventIds.length, 0);
    const delivered: string[] = [];
    const deliverNext = async () => {
      while (performance.now() < endsAt) {
        const delivery = waiting.shift();
        if (!delivery) return;
        const outcome = await deliver(delivery);
        if (outcome !== 'failed') undelivered -= delivery.eventIds.length;
        if (outcome === 'delivered') delivered.push(...delivery.eventIds);
        if (delivered.length >= markedTogether) await markDelivered(relay, delivered.splice(0));
      }
    };
    await Promise.all(Array.from({ length: atOnce }, deliverNext));
    await markDelivered(relay, delivered);
    if (undelivered > 0) {
      throw ApplicationFailure.retryable(
        `${undelivered} of ${events.length} events are not delivered yet; crm_outbox says why.`,
        'undelivered',
      );
    }
  }

  return {
    async deliverBatch({ batchId }) {
      // A mail server may take its time; a worker without a beat is dead, and another one takes over.
      const beats = setInterval(() => heartbeat(), beatMilliseconds);
      try {
        await deliverAll(batchId);
      } finally {
        clearInterval(beats);
      }
    },

    affectedProcesses: ({ cursor, ...change }) => readAffectedProcesses(database, change, cursor, pageSize),

    async signalConfigurationChanged({ workflowIds, perSecond }) {
      const begun = performance.now();
      const sentBefore: unknown = activityInfo().heartbeatDetails;
      const first = typeof sentBefore === 'number' ? sentBefore : 0;
      for (const [index, workflowId] of workflowIds.slice(first).entries()) {
        const early = (index * 1_000) / perSecond - (performance.now() - begun);
        if (early > 0) await sleep(early);
        await tellProcess(temporal, workflowId, 'configurationChanged');
        heartbeat(first + index + 1);
      }
    },
  };
}

/** What may be kept of an error: its name and code, since messages hold addresses and row values. */
function describe(error: unknown): string {
  const { name, code, responseCode } = error as { name?: string; code?: string | number; responseCode?: number };
  return [name ?? typeof error, code, responseCode].filter((part) => part !== undefined).join(' ');
}
