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

/** Records that have processes: table and key, whether one `r` should have a running process, and its state in words. */
interface Kind {
  name: string;
  table: string;
  key: string;
  isOpen: string;
  state: string;
  /** What an open one without a process means. */
  nobody: string;
}

const leads: Kind = {
  name: 'lead',
  table: 'crm_core.crm_leads',
  key: 'lead_id',
  isOpen: `r.status = 'open'`,
  state: 'r.status',
  nobody: 'nobody chases it',
};

const tickets: Kind = {
  name: 'ticket',
  table: 'crm_core.crm_tickets',
  key: 'ticket_id',
  isOpen: `r.stage not in ('closed', 'merged')`,
  state: 'r.stage',
  nobody: 'its clocks do not run',
};

/** Records of one kind against their workflows, `{name}:{id}`. Names of checks begin with `prefix`. */
function checksOf({ name, table, key, isOpen, state, nobody }: Kind, prefix: string): ProcessCheck[] {
  const isOwn = `p.workflow_id like '${name}:%'`;
  return [
    processCheck({
      name: `${name}-without-process`,
      means: `An open ${name} has no running process: ${nobody}.`,
      mend: `If Temporal has lost its state, restore it; else delete and restore the ${name}, which starts a new run.`,
      sql: `
      select r.organization_id, '${name} ' || r.${key} as subject, '${name}:' || r.${key} as workflow_id,
        'stage ' || r.stage || ', its process is ' || coalesce(p.status, '${unknownProcess}') as detail
      from ${table} r
      left join audit_processes p on p.record_id = r.${key}
      where ${isOpen} and r.deleted_at is null and (p.status is null or not ${running}) and not ${inDelivery(`r.${key}`)}`,
    }),
    processCheck({
      name: `process-without-${name}`,
      means: `A process runs for a ${name} that has no row, is deleted, or has ended.`,
      mend: 'Send it the signal `deleted`, upon which it ends: `temporal workflow signal --name deleted`.',
      sql: `
      select r.organization_id, 'workflow ' || p.workflow_id as subject, p.workflow_id,
        case when r.${key} is null then 'there is no such ${name}' when r.deleted_at is not null then 'the ${name} is deleted'
          else 'the ${name} is ' || ${state} end as detail
      from audit_processes p
      left join ${table} r on r.${key} = p.record_id
      where ${running} and ${isOwn} and (r.${key} is null or r.deleted_at is not null or not (${isOpen}))
        and not ${inDelivery('p.record_id')}`,
    }),
    processCheck({
      name: `${prefix}stage-differs`,
      means: 'The stage that Temporal shows is not the one in the row.',
      mend: 'See whether the workflow is stuck on a failing task: its page in the Temporal UI says why.',
      sql: `
      select r.organization_id, '${name} ' || r.${key} as subject, p.workflow_id,
        'the row says ' || r.stage || ', CrmStage says ' || coalesce(p.stage, 'nothing') as detail
      from audit_processes p
      join ${table} r on r.${key} = p.record_id
      where ${running} and r.deleted_at is null and ${isOpen} and p.stage is distinct from r.stage
        and not ${inDelivery(`r.${key}`)}`,
    }),
    processCheck({
      name: `${prefix}deadline-missed`,
      means: 'A deadline passed more than a minute ago, and the process has not acted.',
      mend: 'See that a worker runs and is not overloaded: `npx crm doctor`.',
      sql: `
      select r.organization_id, '${name} ' || r.${key} as subject, p.workflow_id, r.next_step || ' was due ' || r.next_due_at as detail
      from ${table} r
      join audit_processes p on p.record_id = r.${key}
      where ${running} and ${isOpen} and r.deleted_at is null and r.next_due_at < now() - ${graceInterval}`,
    }),
  ];
}

/** Every process against its record. */
export const processChecks: readonly ProcessCheck[] = [...checksOf(leads, ''), ...checksOf(tickets, 'ticket-')];
