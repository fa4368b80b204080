import { afterAll, afterEach, beforeAll, beforeEach } from '@jest/globals';
import pg from 'pg';
import { v7 as uuidv7 } from 'uuid';
import { rowChecks, runCheck } from '../../../db/automation/audit.queries.ts';
import { leadProcess } from '../../../workflows/leads/messages.ts';
import { ticketProcess } from '../../../workflows/tickets/messages.ts';
import { type TestDatabase, testDatabase } from '../../support/database.ts';

type Values = Record<string, unknown>;

/** Rows written behind the product, by the database's owner: one organisation, its team, and whatever a test plants. */
export class PlantedRows {
  readonly organizationId = uuidv7();
  readonly userId = uuidv7();
  readonly teamId = uuidv7();
  readonly client: pg.Client;
  private ticketsMade = 0;

  private constructor(url: string) {
    this.client = new pg.Client({ connectionString: url });
  }

  static async connect(url: string): Promise<PlantedRows> {
    const rows = new PlantedRows(url);
    await rows.client.connect();
    return rows;
  }

  /** Plants an organisation with one user (capacity 2) in one team. */
  async plant(): Promise<void> {
    const { organizationId, userId, teamId } = this;
    await this.insert('core_organizations', { organization_id: organizationId, slug: organizationId, name: 'Planted' });
    await this.insert('crm_users', { user_id: userId, full_name: 'Ada', email: 'ada@x.example', capacity: 2 });
    await this.insert('crm_teams', { team_id: teamId, name: 'First' });
    await this.insert('crm_team_members', { team_member_id: uuidv7(), team_id: teamId, user_id: userId });
  }

  async close(): Promise<void> {
    await this.client.end();
  }

  /** Inserts a row with the columns that every table has. */
  async insert(table: string, values: Values): Promise<void> {
    const at = new Date();
    const by = `user:${this.userId}`;
    const base = {
      organization_id: this.organizationId,
      created_at: at,
      created_by: by,
      updated_at: at,
      updated_by: by,
    };
    const row = { ...base, ...values };
    const places = Object.keys(row).map((_, index) => `$${index + 1}`);
    const sql = `insert into crm_core.${table} (${Object.keys(row).join(', ')}) values (${places.join(', ')})`;
    await this.client.query(sql, Object.values(row));
  }

  /**
   * An assigned lead with everything that a capture writes, or one that has ended since; answers its ID. `without` leaves
   * one part out, and `lead` overrides its columns.
   */
  async lead(
    lead: Values = {},
    without: 'command' | 'timeline' | 'score' | 'assignment' | 'nothing' = 'nothing',
  ): Promise<string> {
    const id = uuidv7();
    const at = new Date();
    const personId = uuidv7();
    const { userId, teamId } = this;
    await this.insert('crm_people', { person_id: personId, full_name: 'Ada' });
    const assigned = { stage: 'assigned', assigned_user_id: userId, team_id: teamId, round: 1, assigned_at: at };
    const planned =
      (lead['status'] ?? 'open') === 'open'
        ? { next_step: 'remind_owner', next_due_at: secondsAgo(-3_600) }
        : { closed_at: at };
    const own = {
      lead_id: id,
      person_id: personId,
      full_name: 'Ada',
      email: `${id}@x.example`,
      status: 'open',
      captured_at: at,
    };
    await this.insert('crm_leads', { ...own, ...assigned, ...planned, ...lead });
    if (without !== 'command') await this.command({ record_id: id });
    if (without !== 'timeline') await this.tell('lead', id, 'lead.captured', at);
    if (without !== 'score') {
      const scored = { score: 1, contributions: '[]', cause: 'captured', scored_at: at };
      await this.insert('crm_lead_scores', { lead_score_id: uuidv7(), lead_id: id, ...scored });
    }
    if (without !== 'assignment') await this.assignment(id);
    return id;
  }

  /** A lead that was merged into another one at its capture; answers its ID. */
  async mergedLead(survivorId: string, values: Values = {}): Promise<string> {
    const final = { status: 'merged', stage: 'merged', round: 0, assigned_user_id: null };
    const id = await this.lead({ ...final, merged_into_lead_id: survivorId, ...values }, 'assignment');
    await this.merge('lead', id, survivorId);
    return id;
  }

  async merge(subjectType: string, mergedId: string, survivorId: string, values: Values = {}): Promise<void> {
    const both = { subject_type: subjectType, merged_id: mergedId, survivor_id: survivorId };
    await this.insert('crm_merges', {
      merge_id: uuidv7(),
      ...both,
      evidence: '{}',
      merged_at: new Date(),
      ...values,
    });
  }

  /** A decision who gets a lead, told in its timeline and to its owner. */
  async assignment(leadId: string, values: Values = {}): Promise<void> {
    const row = this.decision(values);
    await this.insert('crm_lead_assignments', { lead_assignment_id: uuidv7(), lead_id: leadId, ...row });
    await this.tell('lead', leadId, 'lead.assigned', row.decided_at);
    await this.notice('lead', leadId, 'lead.assigned');
  }

  private decision(values: Values) {
    return {
      round: 1,
      user_id: this.userId as unknown,
      team_id: this.teamId,
      reason: 'by turn',
      candidates: '[]',
      rules_tried: '[]',
      decided_at: new Date(),
      created_by: 'process:lead',
      ...values,
    };
  }

  /** An entry in a timeline. */
  async tell(subjectType: string, subjectId: string, kind: string, at: Date): Promise<void> {
    const told = { subject_type: subjectType, subject_id: subjectId, kind, summary: kind, happened_at: at };
    await this.insert('crm_timeline', { timeline_id: uuidv7(), ...told, actor: 'user' });
  }

  /** A notification to the user, whose mail has left; answers its ID. */
  async notice(subjectType: string, subjectId: string, kind: string): Promise<string> {
    const id = uuidv7();
    const told = { subject_type: subjectType, subject_id: subjectId, kind, title: kind, body: kind };
    await this.insert('crm_notifications', { notification_id: id, user_id: this.userId, ...told });
    const payload = JSON.stringify({ notificationId: id });
    await this.event({ kind: 'notification.created', subject_id: subjectId, payload, delivered_at: new Date() });
    return id;
  }

  /** An assigned ticket with everything that an opening writes, but for one part; answers its ID. */
  async ticket(values: Values = {}, without?: 'command' | 'timeline' | 'assignment'): Promise<string> {
    const [id, personId, at] = [uuidv7(), uuidv7(), new Date()];
    const { userId, teamId } = this;
    this.ticketsMade += 1;
    await this.insert('crm_people', { person_id: personId, full_name: 'Ada' });
    const asked = { subject: 'Help', requester_person_id: personId, channel: 'web', priority: 'P3', opened_at: at };
    const given = { status: 'open', stage: 'assigned', assigned_user_id: userId, team_id: teamId, round: 1 };
    await this.insert('crm_tickets', { ticket_id: id, number: this.ticketsMade, ...asked, ...given, ...values });
    if (without !== 'command')
      await this.command({ record_id: id, process: ticketProcess.name, message: ticketProcess.startUpdate });
    if (without !== 'timeline') await this.tell('ticket', id, 'ticket.opened', at);
    if (without !== 'assignment')
      await this.routing(id, { user_id: values['assigned_user_id'] === null ? null : userId });
    return id;
  }

  /** A decision who gets a ticket, told in its timeline and to its agent. */
  async routing(ticketId: string, values: Values = {}): Promise<void> {
    const row = this.decision(values);
    await this.insert('crm_ticket_assignments', { ticket_assignment_id: uuidv7(), ticket_id: ticketId, ...row });
    await this.tell('ticket', ticketId, 'ticket.assigned', row.decided_at);
    if (row.user_id !== null) await this.notice('ticket', ticketId, 'ticket.assigned');
  }

  /** A clock that runs, and is planned for; answers its ID. */
  async clock(ticketId: string, values: Values = {}, intervals: object[] = [interval(startedAt, null)]) {
    const [id, policyId, dueAt] = [uuidv7(), uuidv7(), secondsAgo(-600)];
    const policy = { name: policyId, position: 1, condition: 'true', targets: '{}' };
    await this.insert('crm_sla_policies', { sla_policy_id: policyId, ...policy });
    const promise = { target: 'resolution', ordinal: 1, state: 'running', priority: 'P3', target_minutes: 60 };
    const own = { sla_clock_id: id, ticket_id: ticketId, sla_policy_id: policyId, sla_policy_version: 1 };
    const times = { started_at: startedAt, due_at: dueAt, intervals: JSON.stringify(intervals) };
    const row: Values = { ...own, ...promise, ...times, ...values };
    await this.insert('crm_sla_clocks', row);
    if (row['state'] === 'running')
      await this.set('crm_tickets', 'ticket_id', ticketId, { next_step: 'breach', next_due_at: row['due_at'] });
    return id;
  }

  /** An answered capture. */
  async command(values: Values = {}): Promise<string> {
    const id = uuidv7();
    const request = {
      principal: 'user',
      route: 'POST /v1/leads/capture',
      idempotency_key: id,
      request_hash: 'x',
      actor: '{}',
    };
    const message = { process: leadProcess.name, message: leadProcess.startUpdate, record_id: uuidv7() };
    const answered = { state: 'answered', answer_status: 201, received_at: new Date() };
    await this.insert('crm_commands', { command_id: id, ...request, ...message, ...answered, ...values });
    return id;
  }

  async event(values: Values & { event_id?: string } = {}): Promise<string> {
    const id = uuidv7();
    const told = {
      kind: 'lead.assigned',
      subject_type: 'lead',
      subject_id: uuidv7(),
      payload: '{}',
      occurred_at: new Date(),
    };
    const row = { event_id: id, ...told, ...values };
    await this.insert('crm_outbox', row);
    return row.event_id;
  }

  /** One field's change on record. */
  async change(subjectType: string, subjectId: string, values: Values = {}): Promise<void> {
    const what = { subject_type: subjectType, subject_id: subjectId, subject_version: 2, field: 'x', actor: 'user' };
    await this.insert('crm_auditlog', { audit_id: uuidv7(), ...what, happened_at: new Date(), ...values });
  }

  /** What leaves a record in a stage that it was not made in: a change on record, and told of. */
  async moved(subjectType: string, id: string, stage: string): Promise<string> {
    const at = new Date();
    await this.change(subjectType, id, { field: 'stage', value_after: JSON.stringify(stage), happened_at: at });
    await this.tell(subjectType, id, `${subjectType}.${stage}`, at);
    return id;
  }

  /** Takes rows away behind the product. */
  async remove(table: string, condition: string, parameters: unknown[] = []): Promise<void> {
    await this.client.query(`delete from crm_core.${table} where ${condition}`, parameters);
  }

  async set(table: string, key: string, id: string, values: Values): Promise<void> {
    const places = Object.keys(values).map((column, index) => `${column} = $${index + 2}`);
    await this.client.query(`update crm_core.${table} set ${places.join(', ')} where ${key} = $1`, [
      id,
      ...Object.values(values),
    ]);
  }
}

/** An instant so many seconds ago. */
export const secondsAgo = (seconds: number): Date => new Date(Date.now() - seconds * 1_000);

/** A UUIDv7 made so many seconds ago. */
export const idFromAgo = (seconds: number): string => uuidv7({ msecs: Date.now() - seconds * 1_000 });

/** Since when planted clocks run. */
export const startedAt = secondsAgo(600);

/** A stretch of a clock's life. */
export const interval = (from: Date, to: Date | null, kind = 'running') => ({
  from: from.toISOString(),
  to: to?.toISOString() ?? null,
  kind,
  cause: 'opened',
});

/** An installation to plant in, of each test its own: in a transaction that is never committed. */
export function plantedInstallation(): () => PlantedRows {
  let database: TestDatabase;
  let rows: PlantedRows;
  beforeAll(async () => {
    database = await testDatabase();
  });
  afterAll(() => database.close());
  beforeEach(async () => {
    rows = await PlantedRows.connect(database.url);
    await rows.client.query('begin');
    await rows.plant();
  });
  afterEach(() => rows.close());
  return () => rows;
}

/** Runs `work` in the role in which `crm audit` reads. */
export async function asRelay<Result>({ client }: PlantedRows, work: () => Promise<Result>): Promise<Result> {
  await client.query('set local role crm_relay');
  const result = await work();
  await client.query('reset role');
  return result;
}

/** Names of the checks of rows that find something, each with the subjects that it names. */
export async function findingsIn(rows: PlantedRows): Promise<Record<string, string[]>> {
  return asRelay(rows, async () => {
    const outcomes: [string, string[]][] = [];
    for (const check of rowChecks) {
      const { count, findings } = await runCheck(rows.client, check);
      if (count > 0) outcomes.push([check.name, findings.map(({ subject }) => subject)]);
    }
    return Object.fromEntries(outcomes);
  });
}
