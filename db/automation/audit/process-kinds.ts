import { leadProcess } from '../../../workflows/leads/messages.ts';
import {
  firstTouchSla,
  type LeadStage,
  type LeadStep,
  leadStages,
  stepClauses,
} from '../../../workflows/leads/policy.ts';
import type { Process } from '../../../workflows/processes/messages.ts';
import type { searchAttributes } from '../../../workflows/processes/search-attributes.ts';
import { ticketProcess } from '../../../workflows/tickets/messages.ts';
import { waitingStatuses } from '../../../workflows/tickets/waiting.ts';
import { Lead } from '../../leads/lead.ts';
import { schema } from '../../model/entity.ts';
import { Ticket } from '../../tickets/ticket.ts';
import { iso } from './check.ts';

/** What the checks have to know of the records of one process: conditions and values are SQL over their row `r`. */
export interface ProcessKind {
  readonly process: Process;
  readonly table: string;
  readonly key: string;
  /** The names of its process checks begin with it. */
  readonly prefix: string;
  /** It should have a running process. */
  readonly isOpen: string;
  readonly state: string;
  /** What an open one without a process means. */
  readonly nobody: string;
  /** What its process shows of it in Temporal, as text. */
  readonly shown: Partial<Readonly<Record<keyof typeof searchAttributes, string>>>;
  /** Its process has something to do at an instant. */
  readonly isPlanned: string;
  /** What cannot be, each in words. */
  readonly contradictions: Readonly<Record<string, string>>;
  /** Stages in which a row is made; to every other one it changes. */
  readonly firstStages: readonly string[];
  /** Messages that change a record whatever they say. */
  readonly changing: readonly string[];
  /** The column that names what it was merged into. */
  readonly survivor: string;
  /** The table of decisions who gets it. */
  readonly assignments: string;
}

const id = (column: string) => `r.${column}::text`;
const dueAt = iso('case when r.next_step is not null then r.next_due_at end');
const isAnyOf = (column: string, values: readonly string[]) =>
  `r.${column} in (${values.map((value) => `'${value}'`).join(', ')})`;

const steps = Object.keys(stepClauses) as LeadStep[];
const literal = (value: string | null) => (value === null ? 'null' : `'${value}'`);
const slaOf = (stage: LeadStage, step: LeadStep | null) => literal(firstTouchSla(stage, step));
const slaByStep = (stage: LeadStage) =>
  `case r.next_step ${steps.map((step) => `when '${step}' then ${slaOf(stage, step)}`).join(' ')} else ${slaOf(stage, null)} end`;

const lead: ProcessKind = {
  process: leadProcess,
  table: `${schema}.${Lead.table}`,
  key: Lead.key,
  prefix: '',
  isOpen: `r.status = 'open'`,
  state: 'r.status',
  nobody: 'nobody chases it',
  shown: {
    organization: id('organization_id'),
    record: id(Lead.key),
    stage: 'r.stage',
    assignee: id('assigned_user_id'),
    priority: 'r.urgency',
    sla: `case r.stage ${leadStages.map((stage) => `when '${stage}' then ${slaByStep(stage)}`).join(' ')} end`,
    dueAt,
  },
  // One that nobody has waits for somebody.
  isPlanned: isAnyOf('stage', ['scored', 'assigned', 'touched']),
  contradictions: {
    'its status is not that of its stage': `r.status <> case when ${isAnyOf('stage', leadProcess.finalStages)} then r.stage else 'open' end`,
    'it has ended, but not at any time': `r.status <> 'open' and r.closed_at is null`,
    'it has not ended, but at a time': `r.status = 'open' and r.closed_at is not null`,
    'it has ended, but something is planned': `r.status <> 'open' and coalesce(r.next_step, r.next_due_at::text) is not null`,
    'nobody has it': `r.stage = 'assigned' and r.assigned_user_id is null`,
    'nobody has it, and it looks for nobody': `r.stage = 'touched' and r.assigned_user_id is null and r.next_step <> 'find_owner'`,
    'somebody has it': `${isAnyOf('stage', ['captured', 'scored'])} and r.assigned_user_id is not null`,
    'it was touched, but not at any time': `r.stage = 'touched' and r.touched_at is null`,
    'it has no reason': `r.stage = 'disqualified' and r.disqualify_reason is null`,
  },
  firstStages: ['scored', 'assigned', 'merged'],
  changing: ['touch', 'reassign', 'qualify', 'disqualify', 'merge', 'unmerge'],
  survivor: 'merged_into_lead_id',
  assignments: 'crm_core.crm_lead_assignments',
};

const runningClock = `select from crm_core.crm_sla_clocks k
  where k.organization_id = r.organization_id and k.ticket_id = r.ticket_id and k.state = 'running' and k.ended_at is null and k.deleted_at is null`;

const waits = isAnyOf('status', waitingStatuses);

const ticket: ProcessKind = {
  process: ticketProcess,
  table: `${schema}.${Ticket.table}`,
  key: Ticket.key,
  prefix: 'ticket-',
  isOpen: `not ${isAnyOf('stage', ticketProcess.finalStages)}`,
  state: 'r.stage',
  nobody: 'its clocks do not run',
  shown: {
    organization: id('organization_id'),
    record: id(Ticket.key),
    stage: 'r.stage',
    assignee: id('assigned_user_id'),
    team: id('team_id'),
    priority: 'r.priority',
    sla: 'r.sla',
    dueAt,
  },
  isPlanned: `(${isAnyOf('stage', ['queued', 'resolved'])} or ${waits} or exists (${runningClock}))`,
  contradictions: {
    'its status is not one of its stage': `case when ${isAnyOf('stage', ['resolved', 'closed', 'merged'])} then r.status <> r.stage
      else ${isAnyOf('status', ['resolved', 'closed', 'merged'])} end`,
    'it is resolved, but not at any time': `r.stage = 'resolved' and r.resolved_at is null`,
    'it has ended, but not at any time': `${isAnyOf('stage', ticketProcess.finalStages)} and r.closed_at is null`,
    'it is at work, but ended at a time': `${isAnyOf('stage', ['queued', 'assigned'])} and coalesce(r.resolved_at, r.closed_at) is not null`,
    'it has ended, but something is planned': `${isAnyOf('stage', ticketProcess.finalStages)} and coalesce(r.next_step, r.next_due_at::text) is not null`,
    'it waits for somebody outside since no time, or since a time for nobody': `${waits} <> (r.waiting_since is not null)`,
    'nobody has it': `r.stage = 'assigned' and r.assigned_user_id is null`,
    'somebody has it': `r.stage = 'queued' and r.assigned_user_id is not null`,
  },
  firstStages: ['queued', 'assigned'],
  changing: ['resolve', 'reopen', 'merge', 'close'],
  survivor: 'merged_into_ticket_id',
  assignments: 'crm_core.crm_ticket_assignments',
};

/** Every kind of record that a process is the life of. A new process adds its own. */
export const processKinds: readonly ProcessKind[] = [lead, ticket];

/** One statement for the records of every process. */
export const ofEachKind = (sql: (kind: ProcessKind) => string): string =>
  processKinds.map(sql).join('\n      union all');
