import { activityInfo, heartbeat, sleep } from '@temporalio/activity';
import { WorkflowNotFoundError } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { readAffectedLeads } from '../db/automation/affected-leads.queries.ts';
import { markDelivered, noteFailure, readUndelivered, type UndeliveredEvent } from '../db/automation/outbox.queries.ts';
import type { Database } from '../db/database.ts';
import { leadProcess } from '../workflows/leads/messages.ts';
import type { AutomationActivities } from './automation.types.ts';
import { createSubscribers, type SubscriberDeps } from './automation/subscribers.ts';
import { MailRefused } from './ports.ts';

export interface AutomationDeps extends SubscriberDeps {
  /** Acts for one organisation at a time. */
  database: Database;
}

const pageSize = 500;
/** Events of one batch on their way at the same time. */
const atOnce = 5;
/** An attempt ends before its time-out (two minutes) with what it could not get to: two never overlap. */
const longestAttemptMilliseconds = 60_000;
const beatMilliseconds = 5_000;

/** Delivery of domain events, and the fan-out of configuration changes to running processes. */
export function createAutomationActivities(deps: AutomationDeps): AutomationActivities {
  const { relay, database, temporal } = deps;
  const subscriberOf = createSubscribers(deps);

  /** Whether the event is settled: delivered, or refused for good by its recipient. */
  async function deliver(event: UndeliveredEvent): Promise<boolean> {
    try {
      await subscriberOf(event.kind)?.(event);
    } catch (error) {
      if (!(error instanceof MailRefused)) {
        await noteFailure(relay, event.id, describe(error));
        return false;
      }
      await markDelivered(relay, [event.id], error.message);
      return true;
    }
    await markDelivered(relay, [event.id]);
    return true;
  }

  /** Throws when something is undelivered in the end. */
  async function deliverAll(batchId: string): Promise<void> {
    const endsAt = performance.now() + longestAttemptMilliseconds;
    const events = await readUndelivered(relay, batchId);
    const isHeard = ({ kind }: UndeliveredEvent) => subscriberOf(kind) !== undefined;
    await markDelivered(
      relay,
      events.filter((event) => !isHeard(event)).map(({ id }) => id),
    );

    const waiting = events.filter(isHeard);
    let undelivered = waiting.length;
    const deliverNext = async () => {
      while (performance.now() < endsAt) {
        const event = waiting.shift();
        if (!event) return;
        if (await deliver(event)) undelivered -= 1;
      }
    };
    await Promise.all(Array.from({ length: atOnce }, deliverNext));
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

    async affectedProcesses({ cursor, ...change }) {
      const leadIds = await readAffectedLeads(database, change, cursor, pageSize);
      return {
        workflowIds: leadIds.map((leadId) => leadProcess.workflowId(leadId)),
        cursor: leadIds.length < pageSize ? null : (leadIds.at(-1) ?? null),
      };
    },

    async signalConfigurationChanged({ workflowIds, perSecond }) {
      const begun = performance.now();
      const sentBefore: unknown = activityInfo().heartbeatDetails;
      const first = typeof sentBefore === 'number' ? sentBefore : 0;
      for (const [index, workflowId] of workflowIds.slice(first).entries()) {
        const early = (index * 1_000) / perSecond - (performance.now() - begun);
        if (early > 0) await sleep(early);
        await temporal.workflow.getHandle(workflowId).signal('configurationChanged', {}).catch(unlessClosed);
        heartbeat(first + index + 1);
      }
    },
  };
}

/** A process that has ended need not hear anything; other failures are thrown on. */
function unlessClosed(error: unknown): void {
  if (!(error instanceof WorkflowNotFoundError)) throw error;
}

/** What may be kept of an error: its name and code, since messages hold addresses and row values. */
function describe(error: unknown): string {
  const { name, code, responseCode } = error as { name?: string; code?: string | number; responseCode?: number };
  return [name ?? typeof error, code, responseCode].filter((part) => part !== undefined).join(' ');
}
