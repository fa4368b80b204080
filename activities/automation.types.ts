import type { ConfigurationKind } from '../db/automation/affected-processes.queries.ts';

/** Something in the configuration that running processes depend on has changed. */
export interface ConfigurationChange {
  readonly organizationId: string;
  readonly kind: ConfigurationKind;
  /** Identifier of the record that changed. */
  readonly id: string;
}

/** One page of processes; `cursor` leads to the next page, null after the last. */
export interface AffectedPage {
  readonly workflowIds: readonly string[];
  readonly cursor: string | null;
}

export interface AutomationActivities {
  /**
   * Delivers a batch of domain events from the outbox, each to every subscriber at least once; a repetition carries the
   * same key (Message-ID, workflow ID).
   */
  deliverBatch(input: { batchId: string }): Promise<void>;
  /** The next page of running processes that depend on what changed. */
  affectedProcesses(input: ConfigurationChange & { cursor: string | null }): Promise<AffectedPage>;
  /**
   * Sends `configurationChanged` to each, at most `perSecond` a second; heartbeats with the number sent, and resumes
   * there. A process that has closed is passed over.
   */
  signalConfigurationChanged(input: { workflowIds: readonly string[]; perSecond: number }): Promise<void>;
}
