import { searchAttributes } from '../../../workflows/processes/search-attributes.ts';
import { anyOf, type Check, graceInterval, inDelivery } from './check.ts';
import { type ProcessKind, processKinds } from './process-kinds.ts';

/** A process as Temporal tells of it. */
export interface KnownProcess {
  workflow_id: string;
  /** Null when the workflow's ID names no record. */
  record_id: string | null;
  /** `running`, how it was closed, or `unknownProcess`. */
  status: string;
  /** A worker has a task of it just now, or had one and was lost: its row may be ahead of what it shows. */
  is_busy: boolean;
  /** Its search attributes as text, instants ISO 8601. */
  shown: Partial<Record<keyof typeof searchAttributes, string>>;
}

/**
 * The processes that Temporal knows, beside the rows for the time of an audit: those that run, and for records whose
 * process does not what became of it. And those that are looked at again.
 */
export const processTables = `
  create temporary table audit_processes (
    workflow_id text primary key, record_id uuid, status text not null, is_busy boolean not null, shown jsonb not null);
  create temporary table audit_suspects (workflow_id text primary key)`;

/** Puts what Temporal says of workflows (`KnownProcess`, as JSON) into the table. A page may name a workflow twice, while one run of it follows another. */
export const putProcesses = `
  insert into audit_processes
  select distinct on (workflow_id) * from jsonb_populate_recordset(null::audit_processes, $1)
  on conflict (workflow_id) do update set status = excluded.status, is_busy = excluded.is_busy, shown = excluded.shown`;

/** Status of a workflow that Temporal does not know, or has forgotten. */
export const unknownProcess = 'not known to Temporal';

const running = `p.status = 'running'`;

/** A check of records against processes; its subjects are looked at again before they are reported. */
export interface ProcessCheck extends Check {
  /** `workflow_id` of each finding, to ask Temporal once more. */
  readonly workflowIds: string;
}

function processCheck(check: Check): ProcessCheck {
  return { ...check, workflowIds: `select workflow_id from (${check.sql}) found` };
}

/** Says which workflows are suspect (an array of IDs), in place of those that were. */
export const putSuspects = `
  with forgotten as (delete from audit_suspects where workflow_id <> all ($1::text[]))
  insert into audit_suspects select distinct unnest($1::text[]) on conflict do nothing`;

/** The same check on those alone that were suspect when they were looked at before: what came up since is not asked about. */
export const onSuspects = (check: ProcessCheck): ProcessCheck =>
  processCheck({
    ...check,
    sql: `select * from (${check.sql}) suspect where workflow_id in (select workflow_id from audit_suspects)`,
  });

/** Records of one kind against their workflows, `{name}:{id}`. */
function checksOf({
  process: { name },
  prefix,
  table,
  key,
  isOpen,
  state,
  nobody,
  shown,
}: ProcessKind): ProcessCheck[] {
  const compared = Object.entries(shown).map(([attribute, kept]) => {
    const { name: shownAs } = searchAttributes[attribute as keyof typeof searchAttributes];
    const isOther = `(${kept}) is distinct from p.shown ->> '${attribute}'`;
    const words = `'the row says ' || coalesce(${kept}, 'nothing') || ', ${shownAs} says ' || coalesce(p.shown ->> '${attribute}', 'nothing')`;
    return { isOther, told: `case when ${isOther} then ${words} end` };
  });
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
      where ${running} and ${isOwn} and not p.is_busy and (r.${key} is null or r.deleted_at is not null or not (${isOpen}))
        and not ${inDelivery('p.record_id')}`,
    }),
    processCheck({
      name: `${prefix}process-differs`,
      means: `What Temporal shows of the process of a ${name}, and acts by, is not what the row says.`,
      mend: 'See whether the workflow is stuck on a failing task: its page in the Temporal UI says why. If it is not, the row was changed behind the product: the signal `configurationChanged {}` makes the process take it up.',
      sql: `
      select r.organization_id, '${name} ' || r.${key} as subject, p.workflow_id,
        concat_ws('; ', ${compared.map(({ told }) => told).join(', ')}) as detail
      from audit_processes p
      join ${table} r on r.${key} = p.record_id
      where ${running} and ${isOwn} and not p.is_busy and r.deleted_at is null and ${isOpen}
        and ${anyOf(compared.map(({ isOther }) => isOther))}
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
export const processChecks: readonly ProcessCheck[] = processKinds.flatMap(checksOf);
