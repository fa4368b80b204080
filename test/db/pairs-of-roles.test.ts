import { beforeAll, describe, expect, it } from '@jest/globals';
import type { Actor } from '../../db/access/actor.ts';
import { inOrganization } from '../../db/database.ts';
import { notes } from '../../db/engagement/note.ts';
import { Lead, leads } from '../../db/leads/lead.ts';
import { findLead, leadAnswer, type LeadRow } from '../../db/leads/lead-state.queries.ts';
import { readLeadProcess } from '../../db/leads/process.queries.ts';
import type { Resource } from '../../db/model/define-resource.ts';
import type { EntityDefinition } from '../../db/model/entity.ts';
import { Problem } from '../../db/model/problem.ts';
import type { RecordJson } from '../../db/model/record-json.ts';
import { contacts } from '../../db/parties/contact.ts';
import { resourceOf, resources } from '../../db/registry.ts';
import type { ListQuery } from '../../db/records.ts';
import { type Role, roles, scopeOf } from '../../workflows/access/permissions.ts';
import {
  make,
  type Made,
  makeAccount,
  makeLead,
  makeOrganization,
  makePerson,
  makeUser,
  type TestOrganization,
} from '../support/factories.ts';
import { databaseFixture, refusalCode } from './database-fixture.ts';
import { sampleRecord } from './samples.ts';

const fixture = databaseFixture();
let org: TestOrganization;
let user: Made;
let own: Made;
let foreign: Made;

const holding = (...held: readonly Role[]): Actor => ({
  kind: 'user',
  organizationId: org.id,
  userId: user.id,
  roles: held,
});
const everything: ListQuery = { filters: [], sort: [], limit: 200 };
const redacted = resources.filter(({ redact }) => redact);

beforeAll(async () => {
  org = await makeOrganization(fixture.app);
  user = await makeUser(org);
  for (const resource of resources) await sampleRecord(org, resource);
  const leadOf = async (overrides: object) => {
    const person = await makePerson(org, { primaryPhone: '+4930111222' });
    await make(org, contacts, { personId: person.id, accountId: (await makeAccount(org)).id });
    const lead = await makeLead(org, person, { message: 'Call me', normalization: [{ step: 'seen' }], ...overrides });
    await make(org, notes, { subjectType: 'lead', subjectId: lead.id, body: 'asked for a price' });
    return lead;
  };
  own = await leadOf({ assignedUserId: user.id, stage: 'assigned' });
  foreign = await leadOf({ assignedUserId: (await makeUser(org)).id, stage: 'assigned' });
  // Every other lead that came with a sample is this user's, with all that hangs on it.
  await inOrganization(fixture.app, org.id, (em) =>
    em.execute(
      `update crm_core.${Lead.table} l set assigned_user_id = ? from (
         select lead_id, row_number() over (order by lead_id) as number from crm_core.${Lead.table}
         where lead_id not in (?, ?)) n
       where n.lead_id = l.lead_id and n.number % 2 = 0`,
      [user.id, own.id, foreign.id],
    ),
  );
}, 120_000);

const lists = new Map<string, Promise<RecordJson[]>>();

/** What somebody with these roles sees in a list, with all that can be expanded; nothing where it is forbidden. */
function seen(held: readonly Role[], resource: Resource): Promise<RecordJson[]> {
  const key = `${held.join()} ${resource.path}`;
  const list = lists.get(key) ?? read(holding(...held), resource);
  lists.set(key, list);
  return list;
}

async function read(actor: Actor, resource: Resource): Promise<RecordJson[]> {
  const expand = Object.keys(resource.expandable ?? {});
  try {
    return (await org.records.list(actor, resource, { ...everything, expand })).data;
  } catch (error) {
    if (error instanceof Problem && error.code === 'forbidden') return [];
    throw error;
  }
}

/** Each value of the records themselves, what is expanded left out. */
const values = ({ definition }: Resource, records: readonly RecordJson[]): Set<string> =>
  new Set(
    records.flatMap((record) =>
      Object.entries(record)
        .filter(([property, value]) => value !== null && (property === 'version' || property in definition.columns))
        .map(([property]) => `${String(record['id'])}.${property}`),
    ),
  );

const pairs = roles.flatMap((first, index) => roles.slice(index + 1).map((second) => [first, second] as const));

it.each(pairs)('%s and %s together see what each of them sees', async (first, second) => {
  for (const resource of resources) {
    const [one, other] = [await seen([first], resource), await seen([second], resource)];
    const both = await seen([first, second], resource);
    const alone = values(resource, one).union(values(resource, other));
    expect([resource.path, ...values(resource, both).symmetricDifference(alone)]).toEqual([resource.path]);
  }
});

it.each(pairs)('%s and %s together see nothing more by expanding', async (first, second) => {
  const held = [first, second];
  for (const resource of resources) {
    for (const [name, property] of Object.entries(resource.expandable ?? {})) {
      const target = resourceOf(resource.definition.columns[property]?.target?.() as EntityDefinition);
      if (!target) throw new Error(`${resource.path} expands ${name} to no resource`);
      const expanded = (await seen(held, resource)).flatMap((record) => {
        const behind = record[name] as RecordJson | null;
        if (behind) expect([resource.path, behind['id']]).toEqual([resource.path, record[property]]);
        return behind ? [behind] : [];
      });
      const direct = values(target, await seen(held, target));
      expect([resource.path, name, ...values(target, expanded).difference(direct)]).toEqual([resource.path, name]);
    }
  }
});

it('whoever reads the audit, which tells of every field, reads every field in every record', () => {
  for (const role of roles.filter((one) => scopeOf(holding(one), 'audit:read') !== null))
    for (const resource of redacted) expect([role, resource.redact?.unless(holding(role))]).toEqual([role, true]);
});

describe('marketing who has leads as a sales rep', () => {
  const both = () => holding('marketing', 'sales_rep');
  const list = async (query: Partial<ListQuery>) =>
    (await org.records.list(both(), leads, { ...everything, ...query })).data.map(({ id }) => id);

  it('reads contact data of own leads alone, whichever way a lead is read', async () => {
    const { data } = await org.records.list(both(), leads, everything);
    expect(data.find(({ id }) => id === own.id)).toMatchObject({ fullName: own['fullName'], email: own['email'] });
    const another = data.find(({ id }) => id === foreign.id);
    expect(another).toMatchObject({ stage: 'assigned' });
    for (const field of redacted.find((one) => one === leads)?.redact?.properties ?? []) {
      expect(another).not.toHaveProperty(field);
      expect(await org.records.get(both(), leads, foreign.id, { fields: [field] })).not.toHaveProperty(field);
    }
    const expanded = await org.records.get(both(), leads, foreign.id, { expand: ['person'] });
    expect(expanded).toMatchObject({ id: foreign.id, person: null });
    const explanationOf = async (lead: Made) => (await readLeadProcess(fixture.app, both(), lead.id)).explanation;
    expect(await explanationOf(own)).toMatchObject({ normalization: [{ step: 'seen' }] });
    expect(await explanationOf(foreign)).toMatchObject({ normalization: [], evidence: [] });
  });

  it('is answered about a lead of somebody else, as by a merged capture, without contact data', async () => {
    const answered = (lead: Made) =>
      inOrganization(fixture.app, org.id, async (em) =>
        leadAnswer(em, both(), (await findLead(em, lead.id)) as LeadRow),
      );
    expect(await answered(own)).toMatchObject({ fullName: own['fullName'], person: { fullName: own['fullName'] } });
    const answer = await answered(foreign);
    expect(answer).toMatchObject({ stage: 'assigned', person: { id: foreign['personId'] } });
    expect(answer).not.toHaveProperty('fullName');
    expect(answer['person']).not.toHaveProperty('fullName');
  });

  it('finds by contact data own leads alone', async () => {
    const email = (lead: Made) => ({ filters: [{ field: 'email', op: 'eq' as const, value: String(lead['email']) }] });
    expect(await list(email(own))).toEqual([own.id]);
    expect(await list(email(foreign))).toEqual([]);
    expect(await list({ q: String(own['fullName']) })).toEqual([own.id]);
    expect(await list({ q: String(foreign['fullName']) })).toEqual([]);
    const someone = await list({ filters: [{ field: 'personId', op: 'null', value: 'false' }] });
    expect(someone).toContain(own.id);
    expect(someone).not.toContain(foreign.id);
  });
});

it('marketing reads no evidence, and of interests no notes', async () => {
  const evidence = resources.find(({ path }) => path === 'qualification-evidence');
  const interests = resources.find(({ path }) => path === 'property-interests');
  if (!evidence || !interests) throw new Error('not among the resources');
  expect(await refusalCode(org.records.list(holding('marketing'), evidence, everything))).toBe('forbidden');
  const { data } = await org.records.list(holding('marketing'), interests, everything);
  expect(data.length).toBeGreaterThan(0);
  for (const interest of data) expect(interest).not.toHaveProperty('notes');
});
