import { beforeAll, describe, expect, it } from '@jest/globals';
import { identities } from '../../db/access/identity.ts';
import { users } from '../../db/access/user.ts';
import { inOrganization } from '../../db/database.ts';
import type { Resource } from '../../db/model/define-resource.ts';
import {
  adminOf,
  make,
  type Made,
  makeOrganization,
  makeTeam,
  makeUser,
  managerOf,
  suffix,
  type TestOrganization,
  writeAs,
} from '../support/factories.ts';
import { databaseFixture, refusalCode, refusalOf } from './database-fixture.ts';

const fixture = databaseFixture();
let org: TestOrganization;

const mailAddress = () => `user-${suffix()}@example.com`;
const person = (email: string) => ({ fullName: 'Ada Lovelace', email });
const admin = () => writeAs(adminOf(org));
const create = (body: unknown) => org.records.create(admin(), users, body);
const identityOf = ({ id }: { id: string }) => org.records.get(adminOf(org), identities, id);
const identitiesWith = async (email: string, within = org) => {
  const filters = [{ field: 'email', op: 'eq', value: email }] as const;
  return (await within.records.list(adminOf(within), identities, { filters, sort: [], limit: 10 })).data;
};
const history = async (resource: Resource, id: string) => ({
  kinds: (await org.records.timeline(adminOf(org), resource, id, { limit: 20 })).data.map(({ kind }) => kind),
  fields: (await org.records.audit(adminOf(org), resource, id, { limit: 20 })).data.map(({ field }) => field),
});

beforeAll(async () => {
  org = await makeOrganization(fixture.app);
});

describe('a user who is created', () => {
  it('gets an identity under the same key, with its own history', async () => {
    const email = mailAddress();
    const { status, body } = await create({ ...person(email.toUpperCase()), capacity: 5 });
    expect({ status, email: body?.['email'] }).toEqual({ status: 201, email });
    const user = body as Made;
    expect(await identityOf(user)).toMatchObject({ ...person(email), status: 'active', subject: null, version: 1 });
    expect(await history(identities, user.id)).toEqual({ kinds: ['identity.created'], fields: [] });
    expect(await history(users, user.id)).toEqual({ kinds: ['user.created'], fields: [] });
  });

  it('takes up the identity that the SSO has brought already, as it is', async () => {
    const email = mailAddress();
    const known = await make(org, identities, { email, fullName: 'A. Lovelace', subject: 'sso|42' });
    const { status, body } = await create(person(email));
    expect({ status, id: body?.['id'], fullName: body?.['fullName'] }).toEqual({
      status: 201,
      id: known.id,
      fullName: 'Ada Lovelace',
    });
    expect(await identityOf(known)).toEqual(known);
    const removed = await org.records.patch(admin(), users, known.id, '*', { skills: ['printers'] });
    expect(removed).toMatchObject({ status: 200, body: { skills: ['printers'], version: 2 } });
    expect(await identityOf(known)).toEqual(known);
  });

  it('has nothing to do with an identity of another organisation', async () => {
    const other = await makeOrganization(fixture.app);
    const email = mailAddress();
    const foreign = await make(other, identities, { email, fullName: 'Somebody else' });
    const { body } = await create(person(email));
    expect(body?.['id']).not.toBe(foreign.id);
    expect(await identitiesWith(email)).toMatchObject([{ id: body?.['id'], fullName: 'Ada Lovelace' }]);
    expect(await identitiesWith(email, other)).toEqual([foreign]);
  });

  it.each([
    ['no mail address', { fullName: 'Ada' }, 'invalid'],
    ['a mail address that is none', person('ada at example.com'), 'invalid'],
    ['a mail address that is no text', { fullName: 'Ada', email: { eq: 'ada@example.com' } }, 'invalid'],
    ['a field of the identity', { ...person(mailAddress()), subject: 'sso|1' }, 'invalid'],
    ['a broken rule', { ...person(mailAddress()), outOfOfficeUntil: '2026-12-01T00:00:00Z' }, 'rule_violation'],
    [
      'an unknown calendar',
      { ...person(mailAddress()), calendarId: '01890000-0000-7000-8000-000000000000' },
      'reference_not_found',
    ],
  ])('is refused with %s, and no identity stays behind', async (_what, body, code) => {
    const count = () =>
      inOrganization(fixture.app, org.id, (em) => em.execute('select count(*) from crm_core.core_users'));
    const before = await count();
    expect(await refusalCode(create(body))).toBe(code);
    expect(await count()).toEqual(before);
  });

  it('is refused to whoever may not manage access, whether the address is known or not', async () => {
    const user = await makeUser(org);
    const manager = managerOf(org, await makeTeam(org));
    for (const email of [String(user['email']), mailAddress()])
      expect(await refusalCode(org.records.create(writeAs(manager), users, person(email)))).toBe('forbidden');
  });

  it('is refused where the address is already that of a user, of an identity behind another user, or races for it', async () => {
    const user = await makeUser(org);
    expect(await refusalCode(create(person(String(user['email']))))).toBe('duplicate');
    const moved = mailAddress();
    await org.records.patch(admin(), identities, user.id, '*', { email: moved });
    const { code, message, errors } = await refusalOf(create(person(moved)));
    expect({ code, errors }).toEqual({ code: 'duplicate', errors: [{ path: 'email', message: expect.any(String) }] });
    expect(message).toContain(user.id);
    const email = mailAddress();
    const outcomes = await Promise.allSettled([create(person(email)), create(person(email))]);
    expect(outcomes.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
    expect(await identitiesWith(email)).toHaveLength(1);
  });

  it('is made in bulk as one by one', async () => {
    const [email, other] = [mailAddress(), mailAddress()];
    const { body } = await org.records.bulk(
      admin(),
      users,
      [person(email), person(email), person(other)].map((row) => ({ method: 'create', body: row })),
    );
    expect(body?.['outcomes']).toMatchObject([{ status: 201 }, { status: 409 }, { status: 201 }]);
    for (const address of [email, other]) expect(await identitiesWith(address)).toHaveLength(1);
  });
});

describe("a user's later life", () => {
  it('carries name and address over to the identity, each with its audit', async () => {
    const user = await makeUser(org);
    const email = mailAddress();
    await org.records.patch(admin(), users, user.id, 1, { email, capacity: 3 });
    expect(await identityOf(user)).toMatchObject({ email, fullName: user['fullName'], version: 2 });
    expect(await history(identities, user.id)).toEqual({
      kinds: ['identity.updated', 'identity.created'],
      fields: ['email'],
    });
    await org.records.replace(admin(), users, user.id, 2, person(email));
    expect(await identityOf(user)).toMatchObject({ ...person(email), version: 3 });
  });

  it('refuses an address that another identity has', async () => {
    const user = await makeUser(org);
    const email = mailAddress();
    await make(org, identities, { email, fullName: 'Not at work here' });
    expect(await refusalCode(org.records.patch(admin(), users, user.id, '*', { email }))).toBe('duplicate');
    expect(await org.records.get(adminOf(org), users, user.id)).toMatchObject({ email: user['email'], version: 1 });
  });

  it('ends and begins again together with the identity, and leaves the address free meanwhile', async () => {
    const user = await makeUser(org);
    await org.records.remove(admin(), users, user.id, 1);
    expect(await refusalCode(identityOf(user))).toBe('not_found');
    await org.records.restore(admin(), users, user.id);
    expect(await identityOf(user)).toMatchObject({ email: user['email'], deletedAt: null });
    await org.records.remove(admin(), users, user.id, '*');
    const { body: successor } = await create(person(String(user['email'])));
    expect(successor?.['id']).not.toBe(user.id);
    expect(await refusalCode(org.records.restore(admin(), users, user.id))).toBe('duplicate');
  });

  it('leaves an identity alone that somebody has removed, and makes the one that a user from before lacks', async () => {
    const user = await makeUser(org);
    await org.records.remove(admin(), identities, user.id, '*');
    await org.records.patch(admin(), users, user.id, '*', { fullName: 'Grace Hopper' });
    expect(await refusalCode(identityOf(user))).toBe('not_found');

    const older = await makeUser(org);
    await inOrganization(fixture.app, org.id, (em) =>
      em.execute('delete from crm_core.core_users where user_id = ?', [older.id]),
    );
    await org.records.patch(admin(), users, older.id, '*', { fullName: 'Grace Hopper' });
    expect(await identityOf(older)).toMatchObject({ email: older['email'], fullName: 'Grace Hopper' });
  });
});
