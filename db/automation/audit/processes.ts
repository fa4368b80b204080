import { type Check, graceInterval, isOverdue } from './check.ts';

/**
 * The processes that Temporal knows, beside the rows for the time of an audit: those that run, and for records whose
 * process does not what became of it. `record_id` is null when the workflow's ID names no record.
 */
export const processTable = `
  create temporary table audit_processes (
    workflow_id text primary key, record_id uuid, status text not null, stage text)`;

/**
 * Puts what Temporal says of workflows into the table: arrays of IDs, record IDs, statuses and stages. A page may name a
 * workflow twice, while one run of it follows another.
 */
export const putProcesses = `
  insert into audit_processes (workflow_id, record_id, status, stage)
  select distinct on (workflow_id) * from unnest($1::text[], $2::uuid[], $3::text[], $4::text[]) as p(workflow_id, record_id, status, stage)
  on conflict (workflow_id) do update set status = excluded.status, stage = excluded.stage`;

/** Status of a workflow that Temporal does not know, or has forgotten. */
export const unknownProcess = 'not known to Temporal';

const running = `p.status = 'running'`;

/** A command or an event that is being delivered explains why record and process do not agree yet. */
const inDelivery = (record: string) => `(
  exists (select from crm_core.crm_commands c where c.record_id = ${record} and c.state = 'received' and not (${isOverdue}))
  or exists (select from crm_core.crm_outbox e where e.subject_id = ${record} and e.delivered_at is null
    and coalesce(uuid_extract_timestamp(e.event_id), e.occurred_at) > now() - ${graceInterval}))`;

/** A check of records against processes; its subjects are looked at again before they are reported. */
export interface ProcessCheck extends Check {
  /** `workflow_id` of each finding, to ask Temporal once more. */
  readonly workflowIds: string;
}

function processCheck(check: Omit<ProcessCheck, 'workflowIds'>): ProcessCheck {
  return { ...check, workflowIds: `select workflow_id from (${check.sql}) found` };
}

/** Leads against their workflows, `lead:{id}`. */
export const processChecks: readonly ProcessCheck[] = [
  processCheck({
    name: 'lead-without-process',
    means: 'An open lead has no running process: nobody chases it.',
    mend: 'If Temporal has lost its state, restore it; else delete and restore the lead, which starts a new run.',
    sql: `
      select l.organization_id, 'lead ' || l.lead_id as subject, 'lead:' || l.lead_id as workflow_id,
        'stage ' || l.stage || ', its process is ' || coalesce(p.status, '${unknownProcess}') as detail
      from crm_core.crm_leads l
      left join audit_processes p on p.record_id = l.lead_id
      where l.status = 'open' and l.deleted_at is null and (p.status is null or not ${running}) and not ${inDelivery('l.lead_id')}`,
  }),
  processCheck({
    name: 'process-without-lead',
    means: 'A process runs for a lead that has no row, is deleted, or has ended.',
    mend: 'Send it the signal `deleted`, upon which it ends: `temporal workflow signal --name deleted`.',
    sql: `
      select l.organization_id, 'workflow ' || p.workflow_id as subject, p.workflow_id,
        case when l.lead_id is null then 'there is no such lead' when l.deleted_at is not null then 'the lead is deleted'
          else 'the lead is ' || l.status end as detail
      from audit_processes p
      left join crm_core.crm_leads l on l.lead_id = p.record_id
      where ${running} and (l.lead_id is null or l.deleted_at is not null or l.status <> 'open')
        and not ${inDelivery('p.record_id')}`,
  }),
  processCheck({
    name: 'stage-differs',
    means: 'The stage that Temporal shows is not the one in the row.',
    mend: 'See whether the workflow is stuck on a failing task: its page in the Temporal UI says why.',
    sql: `
      select l.organization_id, 'lead ' || l.lead_id as subject, p.workflow_id,
        'the row says ' || l.stage || ', CrmStage says ' || coalesce(p.stage, 'nothing') as detail
      from audit_processes p
      join crm_core.crm_leads l on l.lead_id = p.record_id
      where ${running} and l.deleted_at is null and l.status = 'open' and p.stage is distinct from l.stage
        and not ${inDelivery('l.lead_id')}`,
  }),
  processCheck({
    name: 'deadline-missed',
    means: 'A deadline passed more than a minute ago, and the process has not acted.',
    mend: 'See that a worker runs and is not overloaded: `npx crm doctor`.',
    sql: `
      select l.organization_id, 'lead ' || l.lead_id as subject, p.workflow_id, l.next_step || ' was due ' || l.next_due_at as detail
      from crm_core.crm_leads l
      join audit_processes p on p.record_id = l.lead_id
      where ${running} and l.status = 'open' and l.deleted_at is null and l.next_due_at < now() - ${graceInterval}`,
  }),
];
