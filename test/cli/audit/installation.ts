import pg from 'pg';
import { v7 as uuidv7 } from 'uuid';
import { leadProcess } from '../../../workflows/leads/messages.ts';

type Values = Record<string, unknown>;

/** Rows written behind the product, by the database's owner: one organisation, its team, and whatever a test plants. */
export class PlantedRows {
  readonly organizationId = uuidv7();
  readonly userId = uuidv7();
  readonly teamId = uuidv7();
  readonly client: pg.Client;

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
   * An assigned lead with everything that a capture writes; answers its ID. `without` leaves one part out, and `lead`
   * overrides its columns.
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
    const own = {
      lead_id: id,
      person_id: personId,
      full_name: 'Ada',
      email: `${id}@x.example`,
      status: 'open',
      captured_at: at,
    };
    await this.insert('crm_leads', { ...own, ...assigned, ...lead });
    if (without !== 'command') await this.command({ record_id: id });
    if (without !== 'timeline') {
      const told = { kind: 'lead.captured', summary: 'captured', happened_at: at, actor: 'user' };
      await this.insert('crm_timeline', { timeline_id: uuidv7(), subject_type: 'lead', subject_id: id, ...told });
    }
    if (without !== 'score') {
      const scored = { score: 1, contributions: '[]', cause: 'captured', scored_at: at };
      await this.insert('crm_lead_scores', { lead_score_id: uuidv7(), lead_id: id, ...scored });
    }
    if (without !== 'assignment') await this.assignment(id);
    return id;
  }

  async assignment(leadId: string, values: Values = {}): Promise<void> {
    const decided = {
      user_id: this.userId,
      team_id: this.teamId,
      reason: 'by turn',
      candidates: '[]',
      rules_tried: '[]',
    };
    const row = {
      lead_assignment_id: uuidv7(),
      lead_id: leadId,
      round: 1,
      ...decided,
      decided_at: new Date(),
      ...values,
    };
    await this.insert('crm_lead_assignments', row);
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
