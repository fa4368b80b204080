import { beforeAll, describe, expect, it } from '@jest/globals';
import { organizations } from '../../db/access/organization.ts';
import { users } from '../../db/access/user.ts';
import { calendars } from '../../db/calendars/calendar.ts';
import { leads } from '../../db/leads/lead.ts';
import { people } from '../../db/parties/person.ts';
import type { Resource } from '../../db/model/define-resource.ts';
import {
  adminOf,
  makeCalendar,
  makeLead,
  makeOrganization,
  makePerson,
  makeUser,
  type TestOrganization,
  writeAs,
} from '../support/factories.ts';
import { databaseFixture, refusalOf } from './database-fixture.ts';
import { addSpecimens, specimens } from './specimen.ts';

const fixture = databaseFixture(addSpecimens);
let org: TestOrganization;
const whole = { label: 'x', seenAt: '2026-01-01T00:00:00Z' };
const create = (body: unknown, resource: Resource = specimens) =>
  org.records.create(writeAs(adminOf(org)), resource, body);
const nested = (depth: number): unknown => (depth === 0 ? 1 : [nested(depth - 1)]);

beforeAll(async () => {
  org = await makeOrganization(fixture.app);
});

describe('a record', () => {
  it.each<[string, unknown]>([
    ['label', ''],
    ['label', '   '],
    ['label', null],
    ['label', 7],
    ['label', 'x'.repeat(61)],
    ['label', 'a\u0000b'],
    ['label', 'a\nb'],
    ['label', 'a\u0085b'],
    ['label', 'half \ud83e'],
    ['remark', 'a\u0000b'],
    ['remark', '\udd86 half'],
    ['token', 'no-uuid'],
    ['amount', 1.5],
    ['amount', '1'],
    ['amount', 1e300],
    ['amount', null],
    ['share', 1.1],
    ['share', Number.NaN],
    ['checked', 'true'],
    ['seenAt', '2026-01-01'],
    ['seenAt', '2026-01-01T00:00:00'],
    ['seenAt', '2026-02-30T00:00:00Z'],
    ['seenAt', '0000-06-01T00:00:00Z'],
    ['seenAt', '9999-12-31T23:59:59-01:00'],
    ['bornOn', '2026-02-29'],
    ['bornOn', '0000-06-01'],
    ['state', 'eaten'],
    ['labels', 'a'],
    ['labels', ['']],
    ['labels', ['a\u0000']],
    ['labels', ['half \ud83e']],
    ['labels', Array.from({ length: 11 }, (_, index) => `label ${index}`)],
    ['notes', { text: 'a\u0000b' }],
    ['notes', { 'key \ud83e': 1 }],
    ['notes', { list: nested(60) }],
    ['notes', []],
    ['accountId', "' or 1=1 --"],
  ])('is refused with %s %j', async (field, value) => {
    const { code, errors } = await refusalOf(create({ ...whole, [field]: value }));
    expect(code).toBe('invalid');
    expect(errors[0]?.path.split(/[.[]/)[0]).toBe(field);
  });

  it.each<unknown>([null, undefined, [], 'text', 7, true])('is refused as %j', async (body) => {
    expect((await refusalOf(create(body))).code).toBe('invalid');
  });

  it('keeps every character, quote and instant as given', async () => {
    const body = {
      label: 'Zoë O\'Brien "🦆" % _ \\ ? $1 :name ;--',
      remark: 'line\n\ttab ?? {0}',
      seenAt: '0001-01-01T00:00:00.000Z',
      bornOn: '9999-12-31',
      labels: ['a,b', '{"x"}', "it's", '🦆', 'null', '\\'],
      notes: { 'a.b': [null, true, 1.5, '?', { $ne: null }], $raw: "'; drop table x" },
      share: 0.1,
      amount: -7,
    };
    const { body: made } = await create(body);
    expect(made).toMatchObject(body);
    const id = String(made?.['id']);
    expect(await org.records.get(adminOf(org), specimens, id)).toEqual(made);
    const changed = { ...body, label: `${body.label}!`, labels: [], notes: { b: 1, a: 2 }, remark: null };
    expect((await org.records.patch(writeAs(adminOf(org)), specimens, id, 1, changed)).body).toMatchObject(changed);
    expect(await org.records.patch(writeAs(adminOf(org)), specimens, id, 2, { notes: { a: 2, b: 1 } })).toMatchObject({
      body: { version: 2 },
    });
  });

  it('trims names and lowers mail addresses, so that one thing is stored one way', async () => {
    expect(await makePerson(org, { fullName: '  Ada  ', primaryEmail: ' ADA@Example.COM ' })).toMatchObject({
      fullName: 'Ada',
      primaryEmail: 'ada@example.com',
    });
    expect(await makeUser(org, { email: 'Bob.Builder@EXAMPLE.com' })).toMatchObject({
      email: 'bob.builder@example.com',
    });
    for (const primaryEmail of [
      'ada',
      'ada@',
      '@example.com',
      'a b@example.com',
      'ada@example',
      'ada@exa mple.com',
      'a'.repeat(250) + '@x.de',
    ]) {
      expect((await refusalOf(create({ fullName: 'Ada', primaryEmail }, people))).code).toBe('invalid');
    }
  });
});

describe('rules over whole records', () => {
  it('hold when it is created, patched and replaced', async () => {
    const closed = { name: 'Closed', timeZone: 'Europe/Berlin', hours: {} };
    expect(await refusalOf(create(closed, calendars))).toMatchObject({
      code: 'rule_violation',
      errors: [{ path: 'hours' }],
    });
    const calendar = await makeCalendar(org);
    expect(
      (await refusalOf(org.records.patch(writeAs(adminOf(org)), calendars, calendar.id, 1, { hours: {} }))).code,
    ).toBe('rule_violation');
    expect((await refusalOf(org.records.replace(writeAs(adminOf(org)), calendars, calendar.id, 1, closed))).code).toBe(
      'rule_violation',
    );
    expect(
      (
        await refusalOf(
          org.records.patch(writeAs(adminOf(org)), calendars, calendar.id, 1, { timeZone: 'Mars/Olympus' }),
        )
      ).code,
    ).toBe('invalid');
  });

  it('an absence has an order, and nobody stands in for themselves', async () => {
    const user = await makeUser(org);
    const patch = (body: unknown) => org.records.patch(writeAs(adminOf(org)), users, user.id, '*', body);
    const away = { outOfOfficeFrom: '2026-12-01T00:00:00Z', outOfOfficeUntil: '2026-11-01T00:00:00Z' };
    expect(await refusalOf(patch(away))).toMatchObject({
      code: 'rule_violation',
      errors: [{ path: 'outOfOfficeUntil' }],
    });
    expect(await refusalOf(patch({ outOfOfficeUntil: '2026-11-01T00:00:00Z' }))).toMatchObject({
      errors: [{ path: 'outOfOfficeFrom' }],
    });
    expect(await refusalOf(patch({ delegateUserId: user.id }))).toMatchObject({ errors: [{ path: 'delegateUserId' }] });
    await expect(
      patch({
        outOfOfficeFrom: '2026-12-01T00:00:00+01:00',
        outOfOfficeUntil: '2026-12-24T00:00:00Z',
        delegateUserId: (await makeUser(org)).id,
      }),
    ).resolves.toMatchObject({
      body: { outOfOfficeFrom: '2026-11-30T23:00:00.000Z' },
    });
  });

  it('an organisation has a country for its phones', async () => {
    const patch = (defaultRegion: string) =>
      org.records.patch(writeAs(adminOf(org)), organizations, org.id, '*', { defaultRegion });
    expect((await refusalOf(patch('de'))).code).toBe('invalid');
    await expect(patch('AT')).resolves.toMatchObject({ body: { defaultRegion: 'AT' } });
  });

  it('a process-owned field is named before anything else is judged', async () => {
    const lead = await makeLead(org, await makePerson(org));
    const refusal = await refusalOf(
      org.records.patch(writeAs(adminOf(org)), leads, lead.id, 1, {
        stage: 'qualified',
        score: 99,
        urgency: 'whenever',
      }),
    );
    expect(refusal).toMatchObject({ code: 'process_owned', errors: [{ path: 'stage' }, { path: 'score' }] });
  });
});
