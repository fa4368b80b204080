import { beforeAll, describe, expect, it } from '@jest/globals';
import { v7 as uuidv7 } from 'uuid';
import { teams } from '../../db/access/team.ts';
import { users } from '../../db/access/user.ts';
import type { Resource } from '../../db/model/define-resource.ts';
import { accounts } from '../../db/parties/account.ts';
import { contacts } from '../../db/parties/contact.ts';
import { people } from '../../db/parties/person.ts';
import { tickets } from '../../db/tickets/ticket.ts';
import {
  adminOf,
  makeOrganization,
  makePerson,
  makeTeam,
  makeTicket,
  makeUser,
  suffix,
  type TestOrganization,
  writeAs,
} from '../support/factories.ts';
import { databaseFixture, refusalOf } from './database-fixture.ts';

const fixture = databaseFixture();
let org: TestOrganization;

beforeAll(async () => {
  org = await makeOrganization(fixture.app);
});

const create = (resource: Resource, body: object) => org.records.create(writeAs(adminOf(org)), resource, body);
const made = async (resource: Resource, body: object) => String((await create(resource, body)).body?.['id']);
const account = (overrides: object = {}) => ({ accountName: `Acme ${suffix()}`, ...overrides });

describe('what no form would take, no record takes', () => {
  it.each([
    ['a phone number of no country', people, { fullName: 'Ada', primaryPhone: '+999999999' }, 'primaryPhone'],
    [
      'a phone number that is too long for its country',
      people,
      { fullName: 'Ada', primaryPhone: '+1202555012399' },
      'primaryPhone',
    ],
    ['a country that there is not', people, { fullName: 'Ada', country: 'XX' }, 'country'],
    ['a name that nobody can see', people, { fullName: '\u200b\u00a0' }, 'fullName'],
    ['labels that nobody can see', people, { fullName: 'Ada', personaLabels: ['\u2060'] }, 'personaLabels[0]'],
    ['a domain that is none', accounts, account({ domain: 'NOT A DOMAIN !!' }), 'domain'],
    ['half a character', people, { fullName: 'Ada \ud800' }, 'fullName'],
  ] as const)('%s', async (_, resource, body, path) => {
    expect(await refusalOf(create(resource, body))).toMatchObject({ code: 'invalid', errors: [{ path }] });
  });

  it('takes the same in order, in one spelling', async () => {
    const { body } = await create(accounts, account({ domain: ' Acme.Example ' }));
    expect(body).toMatchObject({ domain: 'acme.example' });
    const person = await create(people, { fullName: ' Ada\u200b', primaryPhone: '+4930901820', country: 'GB' });
    expect(person.body).toMatchObject({ fullName: 'Ada', primaryPhone: '+4930901820' });
  });

  it('an account that belongs to itself', async () => {
    const id = await made(accounts, account());
    for (const parentAccountId of [id, id.toUpperCase()]) {
      const patch = org.records.patch(writeAs(adminOf(org)), accounts, id, '*', { parentAccountId });
      expect(await refusalOf(patch)).toMatchObject({ code: 'rule_violation', errors: [{ path: 'parentAccountId' }] });
    }
  });
});

describe('an account above itself', () => {
  const chain = async () => {
    const top = await made(accounts, account());
    const middle = await made(accounts, account({ parentAccountId: top }));
    return { top, middle, bottom: await made(accounts, account({ parentAccountId: middle })) };
  };
  const under = (id: string, parentAccountId: string | null) =>
    org.records.patch(writeAs(adminOf(org)), accounts, id, '*', { parentAccountId });

  it('is refused, however many there are between, also while one of them is deleted', async () => {
    const { top, middle, bottom } = await chain();
    const refusal = { code: 'rule_violation', errors: [{ path: 'parentAccountId', message: 'is below this account' }] };
    expect(await refusalOf(under(top, bottom))).toMatchObject(refusal);
    await org.records.remove(writeAs(adminOf(org)), accounts, middle, '*');
    expect(await refusalOf(under(top, bottom))).toMatchObject(refusal);
    const whole = { ...account(), parentAccountId: bottom };
    expect(await refusalOf(org.records.replace(writeAs(adminOf(org)), accounts, top, '*', whole))).toMatchObject(
      refusal,
    );
  });

  it('can be where another was, and apart again', async () => {
    const { top, middle, bottom } = await chain();
    await under(middle, null);
    expect((await under(top, bottom)).body).toMatchObject({ parentAccountId: bottom });
    expect((await under(bottom, null)).body).toMatchObject({ parentAccountId: null });
  });

  it('does not come about by two changes at once', async () => {
    for (let round = 0; round < 10; round += 1) {
      const [one, other] = [await made(accounts, account()), await made(accounts, account())];
      const outcomes = await Promise.allSettled([under(one, other), under(other, one)]);
      expect(outcomes.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
    }
  });
});

describe('a reference in capitals', () => {
  it('is answered as it is stored, and is no change of the same in small letters', async () => {
    const parentAccountId = await made(accounts, account());
    const { body } = await create(accounts, account({ parentAccountId: parentAccountId.toUpperCase() }));
    expect(body).toMatchObject({ parentAccountId, version: 1 });
    const again = { parentAccountId: parentAccountId.toUpperCase() };
    const patched = await org.records.patch(writeAs(adminOf(org)), accounts, String(body?.['id']), 1, again);
    expect(patched.body).toMatchObject({ parentAccountId, version: 1 });
  });
});

describe('a reference to what is gone', () => {
  const remove = (resource: Resource, id: string) => org.records.remove(writeAs(adminOf(org)), resource, id, '*');
  const restore = (resource: Resource, id: string) => org.records.restore(writeAs(adminOf(org)), resource, id);

  it('stays as it is when something else is written, by PATCH and by PUT of what was read', async () => {
    const parentAccountId = await made(accounts, account());
    const body = account({ parentAccountId });
    const id = await made(accounts, body);
    await remove(accounts, parentAccountId);
    const replaced = await org.records.replace(writeAs(adminOf(org)), accounts, id, '*', {
      ...body,
      industry: 'Steam',
    });
    expect(replaced.body).toMatchObject({ industry: 'Steam', parentAccountId });
    const moved = { parentAccountId: uuidv7() };
    const refused = org.records.patch(writeAs(adminOf(org)), accounts, id, '*', moved);
    expect(await refusalOf(refused)).toMatchObject({ code: 'reference_not_found' });
  });

  it('is restored before what refers to it', async () => {
    const accountId = await made(accounts, account());
    const personId = await made(people, { fullName: 'Ada Lovelace' });
    const contactId = await made(contacts, { accountId, personId });
    await remove(contacts, contactId);
    await remove(accounts, accountId);
    expect(await refusalOf(restore(contacts, contactId))).toMatchObject({
      code: 'reference_not_found',
      errors: [{ path: 'accountId' }],
    });
    await restore(accounts, accountId);
    expect((await restore(contacts, contactId)).status).toBe(200);
  });

  it('holds nothing back that a process chose it for: that takes up what was restored', async () => {
    const [team, agent] = [await makeTeam(org), await makeUser(org)];
    const ticket = await makeTicket(org, await makePerson(org), { teamId: team.id, assignedUserId: agent.id });
    await remove(tickets, ticket.id);
    await remove(teams, team.id);
    await remove(users, agent.id);
    expect((await restore(tickets, ticket.id)).status).toBe(200);
  });
});
