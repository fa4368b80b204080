import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Actor } from '../../db/access/actor.ts';
import { identities } from '../../db/access/identity.ts';
import { permissionsResource } from '../../db/access/permission.ts';
import { roleAssignments } from '../../db/access/role-assignment.ts';
import { teamMembers } from '../../db/access/team-member.ts';
import { users } from '../../db/access/user.ts';
import { readFeatureFlags } from '../../db/automation/feature-flags.queries.ts';
import { acrossOrganizations, type Database, openDatabase } from '../../db/database.ts';
import { assignmentRules } from '../../db/leads/assignment-rule.ts';
import type { RecordJson } from '../../db/model/record-json.ts';
import { createRecordsService, type RecordsService } from '../../db/records.ts';
import { resources } from '../../db/registry.ts';
import { articles } from '../../db/tickets/article.ts';
import { ticketRoutingRules } from '../../db/tickets/routing-rule.ts';
import { slaPolicies } from '../../db/tickets/sla-policy.ts';
import { loadDemo } from '../../runtime/demo.ts';
import { roles } from '../../workflows/access/permissions.ts';
import { leadConditions } from '../../workflows/leads/conditions.ts';
import { assignmentStrategies, ruleWarnings } from '../../workflows/assignment/rules.ts';
import { ticketConditions } from '../../workflows/tickets/facts.ts';
import { makeOrganization } from '../support/factories.ts';
import { testDatabase, type TestDatabase } from '../support/database.ts';

let database: TestDatabase;
let app: Database;
let relay: Database;
let records: RecordsService;
const lines: string[] = [];

interface Organization {
  slug: string;
  organization_id: string;
  calendar_id: string;
  fallback_user_id: string;
}
const organizations = () =>
  acrossOrganizations<Organization[]>(relay, (em) =>
    em.execute('select * from crm_core.core_organizations order by slug'),
  );

beforeAll(async () => {
  database = await testDatabase();
  await loadDemo(database.url, { log: (line) => lines.push(line) });
  app = await openDatabase({ url: database.url, role: 'crm_app' });
  relay = await openDatabase({ url: database.url, role: 'crm_relay' });
  records = createRecordsService(app);
});

afterAll(async () => {
  await app.close();
  await relay.close();
  await database.close();
});

it('loads acme and globex once, and says so', async () => {
  expect((await organizations()).map(({ slug }) => slug)).toEqual(['acme', 'globex']);
  expect(lines).toHaveLength(2);
  await loadDemo(database.url, { log: (line) => lines.push(line) });
  expect(await organizations()).toHaveLength(2);
  expect(lines).toHaveLength(2);
});

it('leaves a database alone that has an organisation', async () => {
  const other = await testDatabase();
  const opened = await openDatabase({ url: other.url, role: 'crm_app' });
  await makeOrganization(opened);
  await opened.close();
  await loadDemo(other.url, { log: (line) => lines.push(line) });
  expect(lines).toHaveLength(2);
  await other.close();
});

describe.each(['acme', 'globex'])('%s', (slug) => {
  let actor: Actor;
  let organization: Organization;
  const all = async (resource: (typeof resources)[number]): Promise<RecordJson[]> =>
    (await records.list(actor, resource, { filters: [], sort: [], limit: 200 })).data;

  beforeAll(async () => {
    const found = (await organizations()).find((one) => one.slug === slug);
    if (!found) throw new Error(`There is no ${slug}`);
    organization = found;
    actor = { kind: 'user', organizationId: found.organization_id, userId: found.organization_id, roles: ['admin'] };
  });

  it('has users of every role with readable addresses, each with identity and role', async () => {
    const [people, known, granted] = [await all(users), await all(identities), await all(roleAssignments)];
    const ids = people.map(({ id }) => String(id)).toSorted();
    expect(known.map(({ id }) => String(id)).toSorted()).toEqual(ids);
    expect(granted.map(({ userId }) => String(userId)).toSorted()).toEqual(ids);
    const addresses = people.map(({ email }) => String(email));
    for (const login of ['admin', 'manager1', 'manager2', 'rep1', 'rep6', 'support1', 'marketing1'])
      expect(addresses).toContain(`${login}@${slug}.example`);
    const { data } = await records.list(actor, roleAssignments, {
      filters: [],
      sort: [],
      limit: 200,
      expand: ['role'],
    });
    expect(new Set(data.map(({ role }) => (role as RecordJson)['name']))).toEqual(new Set(roles));
    expect((await all(permissionsResource)).length).toBeGreaterThan(50);
    expect(people.map(({ id }) => id)).toContain(organization.fallback_user_id);
  });

  it('has room for 5,000 open leads, by the last rule alone too', async () => {
    const rows: { room: string }[] = await acrossOrganizations(relay, (em) =>
      em.execute(
        `select sum(u.capacity) as room from crm_core.crm_team_members m join crm_core.crm_users u using (user_id)
         where m.organization_id = ? and m.team_id = (select team_id from crm_core.crm_assignment_rules where organization_id = m.organization_id order by position desc limit 1)`,
        [organization.organization_id],
      ),
    );
    expect(Number(rows[0]?.room)).toBeGreaterThanOrEqual(5_000);
  });

  it('has rules of each strategy in an order without surprises, the last for everything else', async () => {
    const { data } = await records.list(actor, assignmentRules, {
      filters: [],
      sort: [{ field: 'position', direction: 'asc' }],
      limit: 50,
    });
    expect(new Set(data.map(({ strategy }) => strategy))).toEqual(new Set(assignmentStrategies));
    expect(data.at(-1)?.['when']).toBe('true');
    const rules = data.map((rule) => ({
      id: String(rule['id']),
      name: String(rule['name']),
      position: Number(rule['position']),
      when: String(rule['when']),
    }));
    expect(ruleWarnings(leadConditions, rules)).toEqual([]);
  });

  it('has a support desk: promises for everybody, rules that reach a team with agents, articles to read', async () => {
    const inOrder = async (resource: (typeof resources)[number]) =>
      (
        await records.list(actor, resource, { filters: [], sort: [{ field: 'position', direction: 'asc' }], limit: 50 })
      ).data.map((record) => ({
        id: String(record['id']),
        name: String(record['name']),
        position: Number(record['position']),
        when: String(record['when']),
        teamId: String(record['teamId']),
      }));
    const [policies, rules] = [await inOrder(slaPolicies), await inOrder(ticketRoutingRules)];
    expect(policies.map(({ when }) => when)).toEqual(['segment == "enterprise"', 'true']);
    expect(rules.at(-1)?.when).toBe('true');
    for (const ordered of [policies, rules]) expect(ruleWarnings(ticketConditions, ordered)).toEqual([]);
    const places = await all(teamMembers);
    for (const { teamId } of rules)
      expect(places.filter((place) => place['teamId'] === teamId).length).toBeGreaterThan(1);
    expect(new Set((await all(articles)).map(({ status }) => status))).toEqual(new Set(['published']));
  });

  it('has every module switched on', async () => {
    const flags = await readFeatureFlags(app, organization.organization_id);
    expect(Object.keys(flags).toSorted()).toEqual(
      [...new Set(resources.flatMap(({ feature }) => (feature === null ? [] : `crm_feature_${feature}`)))].toSorted(),
    );
    expect(new Set(Object.values(flags))).toEqual(new Set([true]));
  });

  it('was made through the one write path: each record has its timeline', async () => {
    for (const { path, title } of resources.filter(({ path }) =>
      ['calendars', 'teams', 'scoring-models', 'accounts', 'tags', 'sla-policies', 'ticket-routing-rules'].includes(
        path,
      ),
    )) {
      const resource = resources.find((one) => one.path === path);
      if (!resource) throw new Error(`There is no ${path}`);
      const made = await all(resource);
      expect(made.length).toBeGreaterThan(0);
      for (const { id } of made) {
        const { data } = await records.timeline(actor, resource, String(id), { limit: 5 });
        expect(data.map(({ summary }) => summary)).toEqual([`${title} created`]);
      }
    }
  });
});
