import { v7 as uuidv7 } from 'uuid';
import { createLeadActivities } from '../../../activities/leads.ts';
import type { LeadActivities, LeadState } from '../../../activities/leads.types.ts';
import type { Actor } from '../../../db/access/actor.ts';
import { readAnswer } from '../../../db/automation/answers.queries.ts';
import { receiveCommand } from '../../../db/automation/ledger.queries.ts';
import { type Database, inOrganization } from '../../../db/database.ts';
import { Problem } from '../../../db/model/problem.ts';
import type { LeadStep } from '../../../workflows/leads/policy.ts';
import type { CaptureBody } from '../../../workflows/leads/capture.ts';
import type { EmailStatus } from '../../../workflows/leads/facts.ts';
import { leadProcess } from '../../../workflows/leads/messages.ts';
import { normaliseIntake } from '../../../workflows/leads/normalisation.ts';
import { type Message, splitPayload } from '../../../workflows/processes/messages.ts';
import {
  adminOf,
  type Made,
  makeAssignmentRule,
  makeOrganization,
  makeScoringModel,
  makeTeam,
  makeUser,
  suffix,
  type TestOrganization,
  writeAs,
} from '../../support/factories.ts';

/** The answer that the ledger keeps for a command. */
export interface KeptAnswer {
  status: number;
  body: Record<string, unknown> | null;
}

export interface Outcome {
  leadId: string;
  commandId: string;
  state: LeadState;
  answer: KeptAnswer;
}

interface Sent {
  actor?: Actor;
  receivedAt?: Date;
  commandId?: string;
}

/** An organisation with somebody to give leads to, and the lead activities that work in it. */
export interface House {
  database: Database;
  org: TestOrganization;
  users: Made[];
  team: Made;
  rule: Made;
  admin: Actor;
  activities: LeadActivities;
  /** Puts a capture into the ledger, as the API does, and answers its lead. */
  receive(body: CaptureBody, sent?: Sent): Promise<{ leadId: string; commandId: string }>;
  decide(leadId: string, at?: Date): Promise<LeadState>;
  /** Both: received and decided at one instant. */
  capture(body: CaptureBody, sent?: Sent): Promise<Outcome>;
  /** Puts a message into the ledger, as the API does, and answers its command. */
  receiveMessage(leadId: string, name: string, payload?: Record<string, unknown>, sent?: Sent): Promise<string>;
  /** Sends a message with a command; one that is in the ledger already is only applied again. */
  send(leadId: string, name: string, payload?: Record<string, unknown>, sent?: Sent): Promise<Outcome>;
  /** Sends a message without a command, as a Signal does. */
  signal(leadId: string, name: string, payload?: Record<string, unknown>, key?: string): Promise<LeadState>;
  /** Takes the step that the lead waits for, at its due time or when it was noticed. */
  takeDue(leadId: string, detectedAt?: Date): Promise<LeadState & { taken: { step: LeadStep; dueAt: string } }>;
  sql<R extends object>(text: string, parameters?: readonly unknown[]): Promise<R[]>;
  /** How many rows of a table meet a condition. */
  count(table: string, where?: string, parameters?: readonly unknown[]): Promise<number>;
  lead(leadId: string): Promise<Record<string, unknown>>;
  answerOf(commandId: string): Promise<KeptAnswer>;
}

export interface HouseOptions {
  /** What the mail exchange says of every domain, or of this one. */
  emailStatus?: EmailStatus | ((domain: string) => EmailStatus);
  /** Replaces the two sales representatives. */
  users?: (org: TestOrganization) => Promise<Made[]>;
  rule?: Record<string, unknown>;
  team?: Record<string, unknown>;
}

/** A house of its own for one test: nothing that another test does in the same database is seen in it. */
export async function makeHouse(database: Database, options: HouseOptions = {}): Promise<House> {
  const org = await makeOrganization(database);
  const users = options.users ? await options.users(org) : [await makeUser(org), await makeUser(org)];
  const team = await makeTeam(org, users, options.team);
  const rule = await makeAssignmentRule(org, team, options.rule);
  await makeScoringModel(org);
  return houseIn(database, org, { users, team, rule, emailStatus: options.emailStatus ?? 'accepts' });
}

interface Furniture {
  users: Made[];
  team: Made;
  rule: Made;
  emailStatus: NonNullable<HouseOptions['emailStatus']>;
}

/** The same organisation through another pool of connections, as a second worker has it. */
export function besides(house: House, database: Database): House {
  return houseIn(database, house.org, {
    users: house.users,
    team: house.team,
    rule: house.rule,
    emailStatus: 'accepts',
  });
}

function houseIn(database: Database, org: TestOrganization, { emailStatus, ...furniture }: Furniture): House {
  const organizationId = org.id;
  const admin = adminOf(org);
  const lookup = (domain: string) =>
    Promise.resolve(typeof emailStatus === 'function' ? emailStatus(domain) : emailStatus);
  const activities = createLeadActivities({ database, mailExchange: { lookup } });

  const answerOf = async (commandId: string): Promise<KeptAnswer> => {
    const answer = await readAnswer(database, organizationId, commandId);
    if (!answer) throw new Error(`Command ${commandId} has no answer`);
    return answer;
  };

  const sql = <R extends object>(text: string, parameters: readonly unknown[] = []) =>
    inOrganization(database, organizationId, (em) => em.execute<R[]>(text, parameters));

  const house: House = {
    database,
    org,
    ...furniture,
    admin,
    activities,
    answerOf,
    sql,

    async receive(body, { actor = admin, receivedAt = new Date(), commandId = uuidv7() } = {}) {
      const { intake, steps, errors } = normaliseIntake(body, { defaultRegion: 'DE' });
      if (errors.length > 0) throw new Error(JSON.stringify(errors));
      const leadId = uuidv7();
      await receiveCommand(database, writeAs(actor, { receivedAt }), {
        commandId,
        process: 'lead',
        message: leadProcess.startUpdate,
        recordId: leadId,
        body: { intake, steps },
      });
      return { leadId, commandId };
    },

    decide: (leadId, at = new Date()) => activities.decideIntake({ organizationId, leadId, at: at.toISOString() }),

    async capture(body, sent = {}) {
      const receivedAt = sent.receivedAt ?? new Date();
      const { leadId, commandId } = await house.receive(body, { ...sent, receivedAt });
      const state = await house.decide(leadId, receivedAt);
      return { leadId, commandId, state, answer: await answerOf(commandId) };
    },

    async receiveMessage(
      leadId,
      name,
      payload = {},
      { actor = admin, receivedAt = new Date(), commandId = uuidv7() } = {},
    ) {
      // The body is part of the request's hash, so that a repetition is known as one.
      await receiveCommand(database, writeAs(actor, { receivedAt, idempotencyKey: commandId }, payload), {
        commandId,
        process: 'lead',
        message: name,
        recordId: leadId,
        body: payload,
      });
      return commandId;
    },

    async send(leadId, name, payload = {}, { actor = admin, receivedAt = new Date(), commandId = uuidv7() } = {}) {
      await house.receiveMessage(leadId, name, payload, { actor, receivedAt, commandId });
      const { travels } = splitPayload(
        (leadProcess.messages as Readonly<Record<string, Message>>)[name] as Message,
        payload,
      );
      const message = {
        name,
        key: commandId,
        payload: travels,
        commandId,
        actor,
        receivedAt: receivedAt.toISOString(),
      };
      const state = await activities.applyMessage({ organizationId, leadId, message });
      return { leadId, commandId, state, answer: await answerOf(commandId) };
    },

    signal: (leadId, name, payload = {}, key = `signal:${uuidv7()}:1`) =>
      activities.applyMessage({
        organizationId,
        leadId,
        message: {
          name,
          key,
          payload,
          commandId: null,
          actor: { kind: 'temporal', organizationId },
          receivedAt: new Date().toISOString(),
        },
      }),

    async takeDue(leadId, detectedAt) {
      const [lead] = await sql<{ round: number; next_step: LeadStep; next_due_at: string }>(
        'select round, next_step, next_due_at from crm_core.crm_leads where lead_id = ?',
        [leadId],
      );
      if (!lead?.next_due_at) throw new Error('The lead waits for nothing');
      const dueAt = new Date(lead.next_due_at).toISOString();
      const step = { round: lead.round, step: lead.next_step, dueAt, detectedAt: detectedAt?.toISOString() ?? dueAt };
      return {
        ...(await activities.takeStep({ organizationId, leadId, ...step })),
        taken: { step: lead.next_step, dueAt },
      };
    },

    async count(table, where = 'true', parameters = []) {
      const [row] = await sql<{ n: string }>(`select count(*) as n from crm_core.${table} where ${where}`, parameters);
      return Number(row?.n);
    },

    async lead(leadId) {
      const [row] = await sql<Record<string, unknown>>('select * from crm_core.crm_leads where lead_id = ?', [leadId]);
      if (!row) throw new Error(`There is no lead ${leadId}`);
      return row;
    },
  };
  return house;
}

/** A form that nobody has filled in before; `overrides` name what the test is about. */
export function form(overrides: Partial<CaptureBody> = {}): CaptureBody {
  const mark = suffix();
  return { fullName: `Lead ${mark}`, email: `lead-${mark}@example.org`, ...overrides } as CaptureBody;
}

/** A phone number of Berlin that belongs to nobody else in a test; `line` is at most six digits. */
export const berlin = (line: number): string => `+4930${String(900_000 + line).padStart(6, '0')}`;

/** Minutes after an instant. */
export const after = (at: Date | string, minutes: number): Date => new Date(new Date(at).getTime() + minutes * 60_000);

/** A house with one lead that has just been assigned. */
export async function houseWithLead(database: Database): Promise<{ house: House } & Outcome> {
  const house = await makeHouse(database);
  return { house, ...(await house.capture(form())) };
}

const traces = [
  'crm_timeline',
  'crm_auditlog',
  'crm_activities',
  'crm_lead_scores',
  'crm_lead_assignments',
  'crm_notifications',
  'crm_outbox',
  'crm_notes',
];

/** How many rows there are of everything that a message could leave behind. */
export const tracesOf = (house: House): Promise<number[]> => Promise.all(traces.map((table) => house.count(table)));

/**
 * Decides as Temporal does: tries again until it succeeds, be it that a connection was lost or that none was free in
 * time. A refusal is an error of the product. Answers how many attempts failed, too.
 */
export async function untilDecided(house: House, leadId: string): Promise<{ state: LeadState; failures: number }> {
  for (let failures = 0; ; failures++) {
    try {
      return { state: await house.decide(leadId), failures };
    } catch (error) {
      if (error instanceof Problem && error.code !== 'unavailable') throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}
