import type { EntityManager } from '@mikro-orm/postgresql';
import { createHash } from 'node:crypto';
import { v7 as uuidv7 } from 'uuid';
import type { Actor } from '../../db/access/actor.ts';
import { Organization } from '../../db/access/organization.ts';
import { Permission } from '../../db/access/permission.ts';
import { roleAssignments } from '../../db/access/role-assignment.ts';
import { Role } from '../../db/access/role.ts';
import { teamMembers } from '../../db/access/team-member.ts';
import { teams } from '../../db/access/team.ts';
import { users } from '../../db/access/user.ts';
import type { WriteContext } from '../../db/automation/ledger.queries.ts';
import { featureFlags } from '../../db/automation/feature-flag.ts';
import { calendars } from '../../db/calendars/calendar.ts';
import { type Database, inOrganization } from '../../db/database.ts';
import { tags } from '../../db/engagement/tag.ts';
import { assignmentRules } from '../../db/leads/assignment-rule.ts';
import { scoringModels } from '../../db/leads/scoring-model.ts';
import { baseColumns, timelineRow } from '../../db/model/changes.ts';
import type { Resource } from '../../db/model/define-resource.ts';
import { insertRows } from '../../db/model/set-based.ts';
import { accounts } from '../../db/parties/account.ts';
import { createRecordsService } from '../../db/records.ts';
import { resources } from '../../db/registry.ts';
import { articles } from '../../db/tickets/article.ts';
import { moveArticle } from '../../db/tickets/articles.queries.ts';
import { ticketRoutingRules } from '../../db/tickets/routing-rule.ts';
import { slaPolicies } from '../../db/tickets/sla-policy.ts';
import {
  grantedScope,
  permissions,
  type Permission as PermissionName,
  roles,
} from '../../workflows/access/permissions.ts';
import { weekdays } from '../../workflows/calendars/calendar.ts';
import type { OrganizationPlan } from './plan.ts';

type Create = (resource: Resource, body: Record<string, unknown>) => Promise<string>;
type Ids = ReadonlyMap<string, string>;

/** Writes the organisation's own row: the load is complete. */
type Finish = (em: EntityManager) => Promise<void>;

const roleTitles = {
  admin: 'Administrator',
  manager: 'Manager',
  sales_rep: 'Sales rep',
  support: 'Support',
  marketing: 'Marketing',
};

/** Loads everything of a demo organisation but its own row, through the product's validation; answers what is left to do. */
export async function loadOrganization(database: Database, plan: OrganizationPlan): Promise<Finish> {
  const organizationId = uuidv7();
  const setUp: Actor = { kind: 'process', organizationId, process: 'demo', recordId: organizationId };
  const asSetUp = creatorAs(database, setUp);
  const businessHours = await asSetUp(calendars, plan.businessHours);
  const roundTheClock = await asSetUp(calendars, alwaysOpen(plan.businessHours.timeZone));
  const userIds = await loadPeople(asSetUp, plan, roundTheClock);
  await loadAccess(database, setUp, plan, userIds);

  const admin: Actor = { kind: 'user', organizationId, userId: idOf(userIds, 'admin'), roles: ['admin'] };
  const create = creatorAs(database, admin);
  for (const feature of new Set(resources.flatMap(({ feature }) => feature ?? []))) {
    await create(featureFlags, { name: `crm_feature_${feature}`, description: `The module "${feature}"` });
  }
  const teamIds = await loadTeams(create, plan, userIds);
  await create(scoringModels, { ...plan.scoringModel });
  for (const [index, { team, ...rule }] of plan.rules.entries()) {
    await create(assignmentRules, { ...rule, position: (index + 1) * 10, teamId: idOf(teamIds, team) });
  }
  await loadSupport(create, plan, teamIds, businessHours);
  await loadArticles(database, admin, plan);
  for (const { owner, ...account } of plan.accounts)
    await create(accounts, { ...account, ownerUserId: idOf(userIds, owner) });
  for (const tag of plan.tags) await create(tags, tag);

  return async (em) => {
    const change = {
      organizationId,
      actor: setUp,
      at: new Date(),
      subjectType: 'organization',
      subjectId: organizationId,
      commandId: null,
    };
    // An organisation is its own: its key is the column by which every other table is isolated.
    const { organizationId: _, ...base } = baseColumns(change);
    const row = { id: organizationId, ...base, slug: plan.slug, name: plan.name, defaultRegion: plan.region };
    const defaults = { fallbackUserId: idOf(userIds, plan.fallback), calendarId: businessHours };
    await insertRows(em, [
      { into: Organization, rows: [{ ...row, ...defaults }] },
      timelineRow(change, 'organization.created', 'organization created'),
    ]);
  };
}

/** Creates records as this actor through the one write path; answers the identifier of each. */
function creatorAs(database: Database, actor: Actor): Create {
  const records = createRecordsService(database);
  return async (resource, body) => {
    const answer = await records.create(writeBy(actor, resource.path, body), resource, body);
    return String(answer.body?.['id']);
  };
}

function writeBy(actor: Actor, path: string, body: unknown): WriteContext {
  const requestHash = createHash('sha256').update(JSON.stringify(body)).digest('hex');
  return { actor, idempotencyKey: uuidv7(), route: `demo/${path}`, requestHash, receivedAt: new Date() };
}

async function loadPeople(create: Create, { people, slug }: OrganizationPlan, roundTheClock: string): Promise<Ids> {
  const ids = new Map<string, string>();
  for (const { login, role: _, roundTheClock: isAlwaysThere, ...person } of people) {
    const calendar = isAlwaysThere ? { calendarId: roundTheClock } : {};
    ids.set(login, await create(users, { ...person, ...calendar, email: mailOf(login, slug) }));
  }
  return ids;
}

/** Roles, what each may do, as the grant table says, and who has which. */
async function loadAccess(database: Database, actor: Actor, { people }: OrganizationPlan, userIds: Ids): Promise<void> {
  const { organizationId } = actor;
  const base = baseColumns({ organizationId, actor, at: new Date() });
  const roleIds = new Map(roles.map((role) => [String(role), uuidv7()]));
  const grants = Object.keys(permissions).flatMap((name) =>
    roles.map((role) => ({ role, name, scope: grantedScope([role], name as PermissionName) })),
  );
  await inOrganization(database, organizationId, (em) =>
    insertRows(em, [
      { into: Role, rows: roles.map((name) => ({ id: idOf(roleIds, name), ...base, name, title: roleTitles[name] })) },
      {
        into: Permission,
        rows: grants
          .filter(({ scope }) => scope !== null)
          .map(({ role, name, scope }) => ({ id: uuidv7(), ...base, roleId: idOf(roleIds, role), name, scope })),
      },
    ]),
  );
  const create = creatorAs(database, actor);
  for (const { login, role } of people)
    await create(roleAssignments, { userId: idOf(userIds, login), roleId: idOf(roleIds, role) });
}

async function loadTeams(create: Create, plan: OrganizationPlan, userIds: Ids): Promise<Ids> {
  const ids = new Map<string, string>();
  for (const { name, manager, members, fallback } of plan.teams) {
    const fallbackUserId = fallback === undefined ? null : idOf(userIds, fallback);
    const teamId = await create(teams, { name, managerUserId: idOf(userIds, manager), fallbackUserId });
    ids.set(name, teamId);
    for (const [position, login] of members.entries()) {
      await create(teamMembers, { teamId, userId: idOf(userIds, login), position: position + 1 });
    }
  }
  return ids;
}

async function loadSupport(
  create: Create,
  { support }: OrganizationPlan,
  teamIds: Ids,
  businessHours: string,
): Promise<void> {
  for (const [index, { inBusinessHours, ...policy }] of support.policies.entries()) {
    const calendarId = inBusinessHours ? businessHours : null;
    await create(slaPolicies, { ...policy, position: (index + 1) * 10, calendarId });
  }
  for (const [index, { team, ...rule }] of support.rules.entries()) {
    await create(ticketRoutingRules, { ...rule, position: (index + 1) * 10, teamId: idOf(teamIds, team) });
  }
}

/** The knowledge base, published. */
async function loadArticles(database: Database, admin: Actor, { support }: OrganizationPlan): Promise<void> {
  const create = creatorAs(database, admin);
  for (const article of support.articles) {
    const id = await create(articles, { ...article });
    await moveArticle(database, writeBy(admin, 'articles/publish', id), id, 'publish');
  }
}

function alwaysOpen(timeZone: string): Record<string, unknown> {
  const hours = Object.fromEntries(weekdays.map((weekday) => [weekday, [{ from: '00:00', to: '24:00' }]]));
  return { name: 'Round the clock', timeZone, hours };
}

const mailOf = (login: string, slug: string): string => `${login}@${slug}.example`;

function idOf(ids: Ids, name: string): string {
  const id = ids.get(name);
  if (id === undefined) throw new Error(`The demo names "${name}", which it does not define`);
  return id;
}
