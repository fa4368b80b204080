import { v7 as uuidv7 } from 'uuid';
import { type Routed, routeTicket } from '../../../activities/tickets/routing.ts';
import { type Database, inOrganization } from '../../../db/database.ts';
import { baseColumns, type Change } from '../../../db/model/changes.ts';
import { insertRows } from '../../../db/model/set-based.ts';
import { ticketRoutingRules } from '../../../db/tickets/routing-rule.ts';
import { Ticket } from '../../../db/tickets/ticket.ts';
import { ticketFacts } from '../../../workflows/tickets/facts.ts';
import {
  adminOf,
  type Made,
  make,
  makeOrganization,
  makePerson,
  makeTeam,
  makeUser,
  suffix,
  type TestOrganization,
} from '../../support/factories.ts';

/** A support desk without processes: tickets are rows, and routing is called for each. */
export interface Desk {
  org: TestOrganization;
  agents: Made[];
  team: Made;
  rule: Made;
  /** The row of a ticket that nobody has looked at; answers its identifier. */
  open(overrides?: Record<string, unknown>): Promise<string>;
  /** Routes a ticket in a transaction of its own, through another pool of connections if given, and stores the decision. */
  route(ticketId: string, wish?: Partial<Parameters<typeof routeTicket>[4]>, through?: Database): Promise<Routed>;
  /** Ends a ticket as resolving does. */
  resolve(ticketId: string): Promise<void>;
  ticket(ticketId: string): Promise<Record<string, unknown>>;
  sql<Row extends object>(text: string, parameters?: readonly unknown[]): Promise<Row[]>;
}

export interface DeskPlan {
  /** Values of each agent, in the order of turns. */
  agents?: Record<string, unknown>[];
  team?: Record<string, unknown>;
  rule?: Record<string, unknown>;
}

/** A routing rule that gives every ticket to this team. */
export function makeRoutingRule(
  org: TestOrganization,
  team: Made,
  overrides: Record<string, unknown> = {},
): Promise<Made> {
  const values = { name: `Rule ${suffix()}`, position: 100, when: 'true', strategy: 'round_robin', ...overrides };
  return make(org, ticketRoutingRules, { ...values, teamId: team.id });
}

export async function makeDesk(database: Database, plan: DeskPlan = {}): Promise<Desk> {
  const org = await makeOrganization(database);
  const agents: Made[] = [];
  for (const values of plan.agents ?? [{}, {}]) agents.push(await makeUser(org, values));
  const team = await makeTeam(org, agents, plan.team);
  const rule = await makeRoutingRule(org, team, plan.rule);
  const requester = await makePerson(org);
  const actor = adminOf(org);
  let number = 0;

  const sql = <Row extends object>(text: string, parameters: readonly unknown[] = []) =>
    inOrganization(database, org.id, (em) => em.execute<Row[]>(text, parameters));

  const changeOf = (ticketId: string): Change => ({
    organizationId: org.id,
    actor,
    at: new Date(),
    subjectType: 'ticket',
    subjectId: ticketId,
    commandId: null,
  });

  return {
    org,
    agents,
    team,
    rule,
    sql,
    async open(overrides = {}) {
      const id = uuidv7();
      const at = new Date();
      number += 1;
      const row = {
        id,
        ...baseColumns({ organizationId: org.id, actor, at }),
        number,
        subject: `Question ${number}`,
        requesterPersonId: requester.id,
        channel: 'web',
        priority: 'P3',
        skills: [],
        status: 'open',
        stage: 'received',
        round: 0,
        openedAt: at,
        reopenCount: 0,
        ...overrides,
      };
      await inOrganization(database, org.id, (em) => insertRows(em, [{ into: Ticket, rows: [row] }]));
      return id;
    },
    route(ticketId, wish = {}, through = database) {
      return inOrganization(through, org.id, async (em) => {
        const ticket = await em.findOneOrFail(Ticket.entity, { id: ticketId });
        const facts = ticketFacts(ticket as never, { account: null, requester: { primaryEmail: null, country: null } });
        const change = changeOf(ticketId);
        const routed = await routeTicket(em, change, ticket as never, facts, { excludeUserIds: [], ...wish });
        await insertRows(em, routed.rows, routed.statements);
        em.assign(ticket, { ...routed.values } as never);
        await em.flush();
        return routed;
      });
    },
    async resolve(ticketId) {
      await sql(`update crm_core.crm_tickets set stage = 'resolved', status = 'resolved' where ticket_id = ?`, [
        ticketId,
      ]);
    },
    async ticket(ticketId) {
      const [row] = await sql<Record<string, unknown>>('select * from crm_core.crm_tickets where ticket_id = ?', [
        ticketId,
      ]);
      if (!row) throw new Error(`There is no ticket ${ticketId}`);
      return row;
    },
  };
}
