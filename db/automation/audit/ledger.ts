import { leadProcess } from '../../../workflows/leads/messages.ts';
import { type Check, graceInterval, isOverdue, wasCaptured } from './check.ts';

const isStart = `c.process = '${leadProcess.name}' and c.message = '${leadProcess.startUpdate}'`;

/** The command ledger against the rows, and what the outbox still owes. */
export const ledgerChecks: readonly Check[] = [
  {
    name: 'command-overdue',
    means: 'A command for a process was accepted, and a minute after its lease it still has no answer.',
    mend: 'See that a worker runs (its relay delivers what is owed) and reaches Temporal: `npx crm doctor`.',
    sql: `
      select c.organization_id, 'command ' || c.command_id as subject,
        concat_ws(' ', c.process, c.record_id, c.message) || ', received ' || c.received_at || ', ' || c.attempts || ' attempts'
          || coalesce(', last failure: ' || c.last_failure, '') as detail
      from crm_core.crm_commands c
      where c.state = 'received' and c.message is not null and ${isOverdue}`,
  },
  {
    name: 'owed-command-refused',
    means: 'What one process owes another was refused: nobody sends it again, such as what a customer wrote.',
    mend: 'The body in crm_commands says what it was: do it by hand (open a ticket with it), then set deleted_at there.',
    sql: `
      select c.organization_id, 'command ' || c.command_id as subject,
        concat_ws(' ', c.process, c.record_id, c.message) || ', received ' || c.received_at || ', refused: ' || (c.answer ->> 'code') as detail
      from crm_core.crm_commands c
      where c.state = 'answered' and c.answer_status >= 400 and c.actor ->> 'kind' = 'process' and c.deleted_at is null`,
  },
  {
    name: 'answered-without-lead',
    means: 'A capture was answered with a lead that has no row.',
    mend: 'The row was deleted behind the product: restore crm_leads from a backup.',
    sql: `
      select c.organization_id, 'command ' || c.command_id as subject, 'answered ' || c.answer_status || ' for lead ' || c.record_id as detail
      from crm_core.crm_commands c
      where ${isStart} and c.state = 'answered' and c.answer_status < 300
        and not exists (select from crm_core.crm_leads l where l.lead_id = c.record_id)`,
  },
  {
    name: 'lead-without-command',
    means: 'A lead that somebody captured has no starting command in the ledger.',
    mend: 'The row was written behind the product, or the ledger was: compare both with a backup.',
    sql: `
      select l.organization_id, 'lead ' || l.lead_id as subject, 'captured ' || l.captured_at || ' by ' || l.created_by as detail
      from crm_core.crm_leads l
      where ${wasCaptured}
        and not exists (select from crm_core.crm_commands c where c.record_id = l.lead_id and ${isStart})`,
  },
  {
    name: 'event-overdue',
    means: 'A domain event has been waiting for its delivery for more than a minute.',
    mend: 'See that a worker runs and that the mail server answers: `npx crm doctor`; the event says its last failure.',
    // An event tells of the instant of its command, which may be long ago; its UUIDv7 tells when it was written.
    sql: `
      select e.organization_id, 'event ' || e.event_id as subject,
        e.kind || ' of ' || e.subject_type || ' ' || e.subject_id || ', ' || e.attempts || ' attempts'
          || coalesce(', last failure: ' || e.last_failure, '') as detail
      from crm_core.crm_outbox e
      where e.delivered_at is null and coalesce(uuid_extract_timestamp(e.event_id), e.occurred_at) < now() - ${graceInterval}`,
  },
];
