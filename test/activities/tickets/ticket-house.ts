import { v7 as uuidv7 } from 'uuid';
import { createTicketActivities } from '../../../activities/tickets.ts';
import type { TicketActivities, TicketState } from '../../../activities/tickets.types.ts';
import type { Actor } from '../../../db/access/actor.ts';
import { readAnswer } from '../../../db/automation/answers.queries.ts';
import { receiveCommand } from '../../../db/automation/ledger.queries.ts';
import { type Database, inOrganization } from '../../../db/database.ts';
import { applyPolicyChange } from '../../../db/tickets/policy-change.queries.ts';
import { slaPolicies } from '../../../db/tickets/sla-policy.ts';
import { type Message, splitPayload } from '../../../workflows/processes/messages.ts';
import { createTicketBody } from '../../../workflows/tickets/create.ts';
import { ticketProcess } from '../../../workflows/tickets/messages.ts';
import { readOpening } from '../../../workflows/tickets/opening.ts';
import {
  adminOf,
  type Made,
  make,
  makeOrganization,
  makeTeam,
  makeUser,
  suffix,
  type TestOrganization,
  writeAs,
} from '../../support/factories.ts';
import { makeRoutingRule } from './routing-house.ts';

type Values = Record<string, unknown>;

interface Sent {
  actor?: Actor;
  receivedAt?: Date;
  commandId?: string;
}

/** What became of a message. */
export interface Outcome {
  state: TicketState;
  answer: { status: number; body: Values | null };
}

/** An organisation with agents and a policy, and the ticket activities that work in it. */
export interface TicketHouse {
  database: Database;
  org: TestOrganization;
  agents: Made[];
  team: Made;
  policy: Made;
  admin: Actor;
  activities: TicketActivities;
  /** Puts an opening into the ledger, as the API does, and answers its ticket. */
  receive(body?: Values, sent?: Sent): Promise<string>;
  /** Received and decided at one instant. */
  open(body?: Values, sent?: Sent): Promise<{ ticketId: string; state: TicketState }>;
  /** Sends a message with a command; one that is in the ledger already is only applied again. */
  send(ticketId: string, name: string, payload?: Values, sent?: Sent): Promise<Outcome>;
  /** Sends a message without a command, as a Signal does. */
  signal(ticketId: string, name: string, payload?: Values, at?: Date, key?: string): Promise<TicketState>;
  /** Delivers what processes owe other tickets until they owe nothing, as the relay does; answers of which tickets. */
  deliverOwed(): Promise<string[]>;
  /** Takes the step that the ticket waits for, at its due time or when it was noticed; answers its name, too. */
  takeNext(ticketId: string, detectedAt?: Date): Promise<{ taken: string; dueAt: string; state: TicketState }>;
  replan(ticketId: string, at: Date): Promise<TicketState>;
  /** A ticket that was decided on, as a new run of its process finds it. */
  stateOf(ticketId: string): Promise<TicketState>;
  /** Changes the policy for the open tickets as well; their processes have not heard of it yet. */
  applyPolicy(change: Values, at: Date): Promise<void>;
  sql<Row extends object>(text: string, parameters?: readonly unknown[]): Promise<Row[]>;
  count(table: string, where?: string, parameters?: readonly unknown[]): Promise<number>;
  ticket(ticketId: string): Promise<Values>;
  clocks(ticketId: string): Promise<ClockRow[]>;
  steps(
    ticketId: string,
  ): Promise<{ target: string | null; step: string; due_at: Date; detected_at: Date; outcome: string }[]>;
}

/** The columns of a clock that tests look at. */
export interface ClockRow {
  target: string;
  ordinal: number;
  state: string;
  breached: boolean;
  due_at: Date | null;
  met_at: Date | null;
  breached_at: Date | null;
  breach_detected_at: Date | null;
  ended_at: Date | null;
  elapsed_minutes: number | null;
  life: number;
  intervals: { from: string; to: string | null; kind: string; cause: string }[];
  changes: { cause: string; dueFrom: string | null; dueTo: string | null; note: string }[];
}

interface OwedRow {
  commandId: string;
  name: string;
  ticketId: string;
  actor: Actor;
  receivedAt: string;
  body: Values;
}

export interface TicketHousePlan {
  agents?: Values[];
  policy?: Values;
}

/** Targets of one, two and four hours around the clock for P1, and ten times as much for P3. */
export const standardTargets = {
  P1: { first_response: 60, next_response: 120, resolution: 240 },
  P3: { first_response: 600, next_response: 1_200, resolution: 2_400 },
};

export function makeSlaPolicy(org: TestOrganization, values: Values = {}): Promise<Made> {
  return make(org, slaPolicies, {
    name: `Policy ${suffix()}`,
    position: 100,
    when: 'true',
    targets: standardTargets,
    ...values,
  });
}

/** A house of its own for one test: nothing that another test does in the same database is seen in it. */
export async function makeTicketHouse(database: Database, plan: TicketHousePlan = {}): Promise<TicketHouse> {
  const org = await makeOrganization(database);
  const agents: Made[] = [];
  for (const values of plan.agents ?? [{}, {}]) agents.push(await makeUser(org, values));
  const team = await makeTeam(org, agents);
  await makeRoutingRule(org, team);
  const policy = await makeSlaPolicy(org, plan.policy);
  const organizationId = org.id;
  const admin = adminOf(org);
  const activities = createTicketActivities({ database });

  const sql = <Row extends object>(text: string, parameters: readonly unknown[] = []) =>
    inOrganization(database, organizationId, (em) => em.execute<Row[]>(text, parameters));

  const house: TicketHouse = {
    database,
    org,
    agents,
    team,
    policy,
    admin,
    activities,
    sql,

    async receive(body = {}, { actor = admin, receivedAt = new Date(), commandId = uuidv7() } = {}) {
      const whole = { subject: `Question ${suffix()}`, requester: { email: `${suffix()}@example.org` }, ...body };
      const { opening, errors } = readOpening(createTicketBody.parse(whole), { defaultRegion: 'DE' });
      if (errors.length > 0) throw new Error(JSON.stringify(errors));
      const ticketId = uuidv7();
      await receiveCommand(database, writeAs(actor, { receivedAt }), {
        commandId,
        process: ticketProcess.name,
        message: ticketProcess.startUpdate,
        recordId: ticketId,
        body: opening,
      });
      return ticketId;
    },

    async open(body = {}, sent = {}) {
      const receivedAt = sent.receivedAt ?? new Date();
      const ticketId = await house.receive(body, { ...sent, receivedAt });
      const state = await activities.decideTicket({ organizationId, ticketId, at: receivedAt.toISOString() });
      return { ticketId, state };
    },

    async send(ticketId, name, payload = {}, { actor = admin, receivedAt = new Date(), commandId = uuidv7() } = {}) {
      await receiveCommand(database, writeAs(actor, { receivedAt, idempotencyKey: commandId }, payload), {
        commandId,
        process: ticketProcess.name,
        message: name,
        recordId: ticketId,
        body: payload,
      });
      const declared = (ticketProcess.messages as Readonly<Record<string, Message>>)[name] as Message;
      const message = {
        name,
        key: commandId,
        payload: splitPayload(declared, payload).travels,
        commandId,
        actor,
        receivedAt: receivedAt.toISOString(),
      };
      const state = await activities.applyTicketMessage({ organizationId, ticketId, message });
      const answer = await readAnswer(database, organizationId, commandId);
      if (!answer) throw new Error(`Command ${commandId} has no answer`);
      return { state, answer };
    },

    signal: (ticketId, name, payload = {}, at = new Date(), key = `signal:${uuidv7()}:1`) =>
      activities.applyTicketMessage({
        organizationId,
        ticketId,
        message: {
          name,
          key,
          payload,
          commandId: null,
          actor: { kind: 'temporal', organizationId },
          receivedAt: at.toISOString(),
        },
      }),

    async deliverOwed() {
      const delivered: string[] = [];
      for (;;) {
        const [owed] = await sql<OwedRow>(
          `select command_id as "commandId", message as name, record_id as "ticketId", actor, received_at as "receivedAt", body
           from crm_core.crm_commands where state = 'received' and actor ->> 'kind' = 'process'
           order by received_at, command_id limit 1`,
        );
        if (!owed) return delivered;
        const { commandId, name, ticketId, actor, body } = owed;
        const receivedAt = new Date(owed.receivedAt).toISOString();
        delivered.push(ticketId);
        // As every run of a process begins.
        await activities.decideTicket({ organizationId, ticketId, at: receivedAt });
        if (name === ticketProcess.startUpdate) continue;
        const declared = (ticketProcess.messages as Readonly<Record<string, Message>>)[name] as Message;
        const payload = splitPayload(declared, body).travels;
        const message = { name, key: commandId, payload, commandId, actor, receivedAt };
        await activities.applyTicketMessage({ organizationId, ticketId, message });
      }
    },

    async takeNext(ticketId, detectedAt) {
      const before = await house.stateOf(ticketId);
      if (!before.next) throw new Error('The ticket waits for nothing');
      const { clause: _, ...step } = before.next;
      const at = detectedAt?.toISOString() ?? step.dueAt;
      const state = await activities.takeTicketStep({ organizationId, ticketId, ...step, detectedAt: at });
      return { taken: before.next.clause, dueAt: step.dueAt, state };
    },

    stateOf: (ticketId) => activities.decideTicket({ organizationId, ticketId, at: new Date().toISOString() }),

    replan: (ticketId, at) =>
      activities.replanTicket({ organizationId, ticketId, at: at.toISOString(), isFactChange: false }),

    async applyPolicy(change, receivedAt) {
      await applyPolicyChange(database, writeAs(admin, { receivedAt }), policy.id, change);
    },

    async count(table, where = 'true', parameters = []) {
      const [row] = await sql<{ n: string }>(`select count(*) as n from crm_core.${table} where ${where}`, parameters);
      return Number(row?.n);
    },

    async ticket(ticketId) {
      const [row] = await sql<Values>('select * from crm_core.crm_tickets where ticket_id = ?', [ticketId]);
      if (!row) throw new Error(`There is no ticket ${ticketId}`);
      return row;
    },

    async clocks(ticketId) {
      const rows = await sql<Omit<ClockRow, 'due_at'>>(
        'select * from crm_core.crm_sla_clocks where ticket_id = ? order by target, ordinal',
        [ticketId],
      );
      const instants = ['due_at', 'met_at', 'breached_at', 'breach_detected_at', 'ended_at'];
      return rows.map((row) =>
        Object.fromEntries(
          Object.entries(row).map(([name, value]) => [
            name,
            instants.includes(name) && value !== null ? new Date(value as string) : value,
          ]),
        ),
      ) as unknown as ClockRow[];
    },

    async steps(ticketId) {
      const rows = await sql<{
        target: string | null;
        step: string;
        due_at: string;
        detected_at: string;
        outcome: string;
      }>(
        'select target, step, due_at, detected_at, outcome from crm_core.crm_ticket_steps where ticket_id = ? order by detected_at, due_at',
        [ticketId],
      );
      return rows.map((row) => ({ ...row, due_at: new Date(row.due_at), detected_at: new Date(row.detected_at) }));
    },
  };
  return house;
}

/** Minutes after an instant. */
export const after = (at: Date | string, minutes: number): Date => new Date(new Date(at).getTime() + minutes * 60_000);
