import { defineSearchAttributeKey, type SearchAttributePair } from '@temporalio/common';

/** By what people find processes in the Temporal UI and CLI, the same for every process. */
export const searchAttributes = {
  organization: defineSearchAttributeKey('CrmOrganization', 'KEYWORD'),
  record: defineSearchAttributeKey('CrmRecord', 'KEYWORD'),
  process: defineSearchAttributeKey('CrmProcess', 'KEYWORD'),
  stage: defineSearchAttributeKey('CrmStage', 'KEYWORD'),
  assignee: defineSearchAttributeKey('CrmAssignee', 'KEYWORD'),
  team: defineSearchAttributeKey('CrmTeam', 'KEYWORD'),
  priority: defineSearchAttributeKey('CrmPriority', 'KEYWORD'),
  sla: defineSearchAttributeKey('CrmSla', 'KEYWORD'),
  dueAt: defineSearchAttributeKey('CrmDueAt', 'DATETIME'),
} as const;

/** The state of a clock, as `CrmSla` says it. */
export const slaStates = ['on_track', 'warning', 'breached', 'paused', 'met'] as const;
export type SlaState = (typeof slaStates)[number];

/** What the starter of a process sets with the start, where it costs no history event. */
export function startSearchAttributes(
  organizationId: string,
  process: string,
  recordId: string,
): SearchAttributePair[] {
  return [
    { key: searchAttributes.organization, value: organizationId },
    { key: searchAttributes.process, value: process },
    { key: searchAttributes.record, value: recordId },
  ];
}
