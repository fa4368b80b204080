import { createHash, randomBytes } from 'node:crypto';
import { v7 as uuidv7 } from 'uuid';
import type { Actor } from '../../db/access/actor.ts';
import { Organization } from '../../db/access/organization.ts';
import { teamMembers } from '../../db/access/team-member.ts';
import { teams } from '../../db/access/team.ts';
import { users } from '../../db/access/user.ts';
import type { WriteContext } from '../../db/automation/ledger.queries.ts';
import { calendars } from '../../db/calendars/calendar.ts';
import { type Database, inOrganization } from '../../db/database.ts';
import { assignmentRules } from '../../db/leads/assignment-rule.ts';
import { Lead } from '../../db/leads/lead.ts';
import { scoringModels } from '../../db/leads/scoring-model.ts';
import { baseColumns } from '../../db/model/changes.ts';
import type { Resource } from '../../db/model/define-resource.ts';
import type { RecordJson } from '../../db/model/record-json.ts';
import { insertRows } from '../../db/model/set-based.ts';
import { accounts } from '../../db/parties/account.ts';
import { people } from '../../db/parties/person.ts';
import { createRecordsService, type RecordsService } from '../../db/records.ts';
import { Ticket } from '../../db/tickets/ticket.ts';
import type { Role } from '../../workflows/access/permissions.ts';

/** A tenant of a test, with the records service that its factories write through. */
export interface TestOrganization {
  id: string;
  slug: string;
  database: Database;
  records: RecordsService;
}

/** A record made by a factory: what the API would answer. */
export type Made = RecordJson & { id: string };

type Overrides = Record<string, unknown>;

/** Keeps names and addresses of one test apart from every other's. */
export const suffix = (): string => randomBytes(4).toString('hex');

export async function makeOrganization(database: Database, overrides: Overrides = {}): Promise<TestOrganization> {
  const id = uuidv7();
  const slug = `org-${suffix()}`;
  const actor: Actor = { kind: 'process', organizationId: id, process: 'test', recordId: id };
  // An organisation is its own: its key is the column by which every other table is isolated.
  const { organizationId: _, ...base } = baseColumns({ organizationId: id, actor, at: new Date() });
  const row = {
    id,
    ...base,
    slug,
    name: `Organisation ${slug}`,
    defaultRegion: 'DE',
    fallbackUserId: null,
    calendarId: null,
    ...overrides,
  };
  await inOrganization(database, id, (em) => insertRows(em, [{ into: Organization, rows: [row] }]));
  return { id, slug, database, records: createRecordsService(database) };
}

/** An administrator; a user identifier makes it somebody's own token. */
export const adminOf = ({ id }: TestOrganization, userId = uuidv7()): Actor => withRole(id, userId, 'admin');

/** The manager of a team made by `makeTeam`. */
export const managerOf = (org: TestOrganization, team: Made): Actor =>
  withRole(org.id, String(team['managerUserId']), 'manager');

export const salesRep = (org: TestOrganization, user: Made): Actor => withRole(org.id, user.id, 'sales_rep');
export const supporter = (org: TestOrganization, userId = uuidv7()): Actor => withRole(org.id, userId, 'support');
export const marketer = (org: TestOrganization, userId = uuidv7()): Actor => withRole(org.id, userId, 'marketing');

const withRole = (organizationId: string, userId: string, role: Role): Actor => ({
  kind: 'user',
  organizationId,
  userId,
  roles: [role],
});

/** A write that nobody made before: fresh key, and a hash of its own or that of `body`. */
export function writeAs(actor: Actor, overrides: Partial<WriteContext> = {}, body: unknown = uuidv7()): WriteContext {
  return {
    actor,
    idempotencyKey: uuidv7(),
    route: 'test',
    requestHash: createHash('sha256').update(JSON.stringify(body)).digest('hex'),
    receivedAt: new Date(),
    ...overrides,
  };
}

/** Creates any record as an administrator; throws the Problem when the product refuses it. */
export async function make(org: TestOrganization, resource: Resource, body: Overrides): Promise<Made> {
  const { body: record } = await org.records.create(writeAs(adminOf(org)), resource, body);
  if (typeof record?.['id'] !== 'string') throw new Error(`Creating a ${resource.title} answered no record`);
  return record as Made;
}

export function makeUser(org: TestOrganization, overrides: Overrides = {}): Promise<Made> {
  const mark = suffix();
  return make(org, users, { fullName: `User ${mark}`, email: `user-${mark}@example.com`, ...overrides });
}

/** A team with a manager of its own and these members, in the order of their turns. */
export async function makeTeam(
  org: TestOrganization,
  members: readonly Made[] = [],
  overrides: Overrides = {},
): Promise<Made> {
  const managerUserId = overrides['managerUserId'] ?? (await makeUser(org)).id;
  const team = await make(org, teams, { name: `Team ${suffix()}`, ...overrides, managerUserId });
  for (const [position, { id: userId }] of members.entries())
    await make(org, teamMembers, { teamId: team.id, userId, position });
  return team;
}

/** A calendar with weekdays from nine to five in Berlin. */
export function makeCalendar(org: TestOrganization, overrides: Overrides = {}): Promise<Made> {
  const day = [{ from: '09:00', to: '17:00' }];
  const hours = { monday: day, tuesday: day, wednesday: day, thursday: day, friday: day };
  return make(org, calendars, { name: `Calendar ${suffix()}`, timeZone: 'Europe/Berlin', hours, ...overrides });
}

/** A model that gives 40 for a phone, 60 for Germany, and 50 for a call. */
export function makeScoringModel(org: TestOrganization, overrides: Overrides = {}): Promise<Made> {
  return make(org, scoringModels, {
    name: `Model ${suffix()}`,
    fitWeight: 0.5,
    engagementWeight: 0.5,
    fit: [
      { label: 'Can be called', when: 'hasPhone', points: 40 },
      { label: 'In Germany', when: 'country == "DE"', points: 60 },
    ],
    engagement: [{ activityType: 'call', points: 50, halfLifeDays: 14 }],
    bands: { warm: 20, hot: 50 },
    ...overrides,
  });
}

/** A rule that gives every lead to this team in turn. */
export function makeAssignmentRule(org: TestOrganization, team: Made, overrides: Overrides = {}): Promise<Made> {
  return make(org, assignmentRules, {
    name: `Rule ${suffix()}`,
    position: 100,
    when: 'true',
    strategy: 'round_robin',
    ...overrides,
    teamId: team.id,
  });
}

export function makeAccount(org: TestOrganization, overrides: Overrides = {}): Promise<Made> {
  return make(org, accounts, { accountName: `Account ${suffix()}`, ...overrides });
}

export function makePerson(org: TestOrganization, overrides: Overrides = {}): Promise<Made> {
  const mark = suffix();
  return make(org, people, { fullName: `Person ${mark}`, primaryEmail: `person-${mark}@example.com`, ...overrides });
}

/** The row of a captured lead, without a process: for tests of reading. Its person comes first. */
export async function makeLead(org: TestOrganization, person: Made, overrides: Overrides = {}): Promise<Made> {
  const at = new Date();
  const row = {
    id: uuidv7(),
    ...baseColumns({ organizationId: org.id, actor: adminOf(org), at }),
    personId: person.id,
    fullName: person['fullName'],
    email: person['primaryEmail'] ?? null,
    phone: person['primaryPhone'] ?? null,
    company: null,
    status: 'open',
    stage: 'captured',
    score: 0,
    round: 0,
    engagementCount: 0,
    capturedAt: at,
    ...overrides,
  };
  await inOrganization(org.database, org.id, (em) => insertRows(em, [{ into: Lead, rows: [row] }]));
  return row;
}

let lastNumber = 0;

/** The row of an open ticket, without a process: for tests of what hangs on one. Its requester comes first. */
export async function makeTicket(org: TestOrganization, requester: Made, overrides: Overrides = {}): Promise<Made> {
  const at = new Date();
  const row = {
    id: uuidv7(),
    ...baseColumns({ organizationId: org.id, actor: adminOf(org), at }),
    number: ++lastNumber,
    subject: `Ticket ${suffix()}`,
    description: null,
    requesterPersonId: requester.id,
    accountId: null,
    channel: 'email',
    priority: 'P3',
    skills: [],
    status: 'open',
    stage: 'queued',
    round: 0,
    openedAt: at,
    reopenCount: 0,
    ...overrides,
  };
  await inOrganization(org.database, org.id, (em) => insertRows(em, [{ into: Ticket, rows: [row] }]));
  return row;
}
