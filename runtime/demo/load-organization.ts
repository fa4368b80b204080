import { v7 as uuidv7 } from 'uuid';
import { createOrganization, type Founding } from '../../db/access/new-organization.ts';
import { roleAssignments } from '../../db/access/role-assignment.ts';
import { teamMembers } from '../../db/access/team-member.ts';
import { teams } from '../../db/access/team.ts';
import { users } from '../../db/access/user.ts';
import { owedStatement } from '../../db/automation/ledger.queries.ts';
import { calendars } from '../../db/calendars/calendar.ts';
import type { Database } from '../../db/database.ts';
import { tags } from '../../db/engagement/tag.ts';
import { assignmentRules } from '../../db/leads/assignment-rule.ts';
import { leads } from '../../db/leads/lead.ts';
import { scoringModels } from '../../db/leads/scoring-model.ts';
import { accounts } from '../../db/parties/account.ts';
import type { Resource } from '../../db/model/define-resource.ts';
import { people } from '../../db/parties/person.ts';
import { articles } from '../../db/tickets/article.ts';
import { moveArticleRow } from '../../db/tickets/articles.queries.ts';
import { ticketRoutingRules } from '../../db/tickets/routing-rule.ts';
import { slaPolicies } from '../../db/tickets/sla-policy.ts';
import { tickets as ticketsResource } from '../../db/tickets/ticket.ts';
import { weekdays } from '../../workflows/calendars/calendar.ts';
import { leadProcess } from '../../workflows/leads/messages.ts';
import { normaliseIntake } from '../../workflows/leads/normalisation.ts';
import { createTicketBody } from '../../workflows/tickets/create.ts';
import { ticketProcess } from '../../workflows/tickets/messages.ts';
import { readOpening } from '../../workflows/tickets/opening.ts';
import type { Process } from '../../workflows/processes/messages.ts';
import type { OrganizationPlan } from './plan.ts';

type Ids = ReadonlyMap<string, string>;

/** Who makes a demo organisation, and which identifiers its records get, if it matters. */
type Ways = Pick<Parameters<typeof createOrganization>[2], 'by' | 'newId'>;

/** Makes a demo organisation with everything in its plan: wholly, or not at all. */
export async function loadOrganization(database: Database, plan: OrganizationPlan, ways: Ways): Promise<void> {
  const { slug, name, region: defaultRegion, administrator, businessHours } = plan;
  const calendar = { ...businessHours };
  const organization = {
    slug,
    name,
    defaultRegion,
    calendar,
    administrator: { fullName: administrator, email: mailOf('admin', slug) },
  };
  await createOrganization(database, organization, { ...ways, furnish: (founding) => furnish(founding, plan) });
}

async function furnish(founding: Founding, plan: OrganizationPlan): Promise<{ fallbackUserId: string }> {
  const { create } = founding;
  const userIds = await loadPeople(founding, plan);
  const teamIds = await loadTeams(founding, plan, userIds);
  await create(scoringModels, { ...plan.scoringModel });
  for (const [index, { team, ...rule }] of plan.rules.entries())
    await create(assignmentRules, { ...rule, position: placeOf(index), teamId: idOf(teamIds, team) });
  await loadSupport(founding, plan, teamIds);
  for (const { owner, ...account } of plan.accounts)
    await create(accounts, { ...account, ownerUserId: idOf(userIds, owner) });
  for (const tag of plan.tags) await create(tags, tag);
  for (const customer of plan.customers) await create(people, customer);
  await loadIncoming(founding, plan);
  return { fallbackUserId: idOf(userIds, plan.fallback) };
}

async function loadPeople(founding: Founding, { people, slug, businessHours }: OrganizationPlan): Promise<Ids> {
  const { create, roleIds, administratorId } = founding;
  const roundTheClock = await create(calendars, alwaysOpen(businessHours.timeZone));
  const ids = new Map([['admin', administratorId]]);
  for (const { login, role, roundTheClock: isAlwaysThere, ...person } of people) {
    const calendar = isAlwaysThere ? { calendarId: roundTheClock } : {};
    const userId = await create(users, { ...person, ...calendar, email: mailOf(login, slug) });
    await create(roleAssignments, { userId, roleId: roleIds.get(role) });
    ids.set(login, userId);
  }
  return ids;
}

async function loadTeams({ create }: Founding, plan: OrganizationPlan, userIds: Ids): Promise<Ids> {
  const ids = new Map<string, string>();
  for (const { name, manager, members, fallback } of plan.teams) {
    const fallbackUserId = fallback === undefined ? null : idOf(userIds, fallback);
    const teamId = await create(teams, { name, managerUserId: idOf(userIds, manager), fallbackUserId });
    ids.set(name, teamId);
    for (const [position, login] of members.entries())
      await create(teamMembers, { teamId, userId: idOf(userIds, login), position: position + 1 });
  }
  return ids;
}

/** What support promises, who answers, and the knowledge base, published. */
async function loadSupport(founding: Founding, { support }: OrganizationPlan, teamIds: Ids): Promise<void> {
  const { create, write, calendarId } = founding;
  for (const [index, { inBusinessHours, ...policy }] of support.policies.entries())
    await create(slaPolicies, {
      ...policy,
      position: placeOf(index),
      calendarId: inBusinessHours ? calendarId : null,
    });
  for (const [index, { team, ...rule }] of support.rules.entries())
    await create(ticketRoutingRules, { ...rule, position: placeOf(index), teamId: idOf(teamIds, team) });
  for (const article of support.articles)
    await moveArticleRow(write(articles), await create(articles, { ...article }), 'publish');
}

function alwaysOpen(timeZone: string): Record<string, unknown> {
  const hours = Object.fromEntries(weekdays.map((weekday) => [weekday, [{ from: '00:00', to: '24:00' }]]));
  return { name: 'Round the clock', timeZone, hours };
}

/** What has come in: commands as the API would have accepted them, which the relay delivers as soon as it runs. */
async function loadIncoming(founding: Founding, { captures, tickets, region }: OrganizationPlan): Promise<void> {
  const defaults = { defaultRegion: region };
  for (const capture of captures) {
    const { intake, steps } = normaliseIntake(capture, defaults);
    await accept(founding, leadProcess, leads, { intake, steps });
  }
  for (const ticket of tickets)
    await accept(
      founding,
      ticketProcess,
      ticketsResource,
      readOpening(createTicketBody.parse(ticket), defaults).opening,
    );
}

async function accept(
  { newId, write: writeTo }: Founding,
  { name: process, startUpdate: message }: Process,
  resource: Resource,
  body: unknown,
): Promise<void> {
  const { em, write } = writeTo(resource);
  const recordId = newId(resource.definition.name);
  const started = { ...write, route: resource.path, idempotencyKey: recordId };
  const { sql, parameters } = owedStatement(started, { commandId: uuidv7(), process, message, recordId, body });
  await em.execute(sql, [...parameters]);
}

const placeOf = (index: number): number => (index + 1) * 10;

const mailOf = (login: string, slug: string): string => `${login}@${slug}.example`;

function idOf(ids: Ids, name: string): string {
  const id = ids.get(name);
  if (id === undefined) throw new Error(`The demo names "${name}", which it does not define`);
  return id;
}
