import type { Process } from './messages.ts';

/** Where a process is told of. */
export interface ProcessLink {
  workflowId: string;
  /** Path at the API. */
  href: string;
}

/** The link to the process of one record. */
export function processLink({ path, workflowId }: Process, recordId: string): ProcessLink {
  return { workflowId: workflowId(recordId), href: `/crm/v1/${path}/${recordId}/process` };
}
