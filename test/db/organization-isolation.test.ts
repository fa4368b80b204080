import { beforeAll, describe, expect, it } from '@jest/globals';
import { v7 as uuidv7 } from 'uuid';
import { organizations } from '../../db/access/organization.ts';
import { users } from '../../db/access/user.ts';
import { acrossOrganizations, inOrganization } from '../../db/database.ts';
import { notes } from '../../db/engagement/note.ts';
import { Tag, tags } from '../../db/engagement/tag.ts';
import { tasks } from '../../db/engagement/task.ts';
import { baseColumns } from '../../db/model/changes.ts';
import type { RecordRow } from '../../db/model/entity.ts';
import { insertRows } from '../../db/model/set-based.ts';
import { accounts } from '../../db/parties/account.ts';
import { contacts } from '../../db/parties/contact.ts';
import { entities, resources } from '../../db/registry.ts';
import {
  adminOf,
  make,
  makeAccount,
  makeCalendar,
  makeOrganization,
  makePerson,
  makeUser,
  type TestOrganization,
  writeAs,
} from '../support/factories.ts';
import { databaseFixture, refusalCode, refusalOf } from './database-fixture.ts';

const fixture = databaseFixture();
let ours: TestOrganization;
let theirs: TestOrganization;
const list = { filters: [], sort: [], limit: 200 };
const names = (rows: { name: string }[]) => rows.map(({ name }) => name).toSorted();

beforeAll(async () => {
  ours = await makeOrganization(fixture.app);
  theirs = await makeOrganization(fixture.app);
  await make(ours, tags, { name: 'ours' });
  await make(theirs, tags, { name: 'theirs' });
});

describe('one organisation never sees another', () => {
  it.each(resources.map((resource) => [resource.path, resource] as const))(
    'through the records service: %s',
    async (_path, resource) => {
      const [mine, foreign] = [
        await ours.records.list(adminOf(ours), resource, list),
        await theirs.records.list(adminOf(theirs), resource, list),
      ];
      const known = new Set(mine.data.map(({ id }) => id));
      for (const { id } of foreign.data) {
        expect(known.has(id)).toBe(false);
        expect(await refusalCode(ours.records.get(adminOf(ours), resource, String(id)))).toBe('not_found');
        expect(await refusalCode(ours.records.audit(adminOf(ours), resource, String(id), { limit: 1 }))).toBe(
          'not_found',
        );
        if (resource.patchable.length > 0) {
          expect(await refusalCode(ours.records.patch(writeAs(adminOf(ours)), resource, String(id), '*', {}))).toBe(
            'not_found',
          );
        }
      }
    },
  );

  it('through raw SQL and Kysely inside its transaction', async () => {
    await inOrganization(fixture.app, ours.id, async (em) => {
      expect(names(await em.execute('select name from crm_core.crm_tags'))).toEqual(['ours']);
      const kysely = em.getKysely() as unknown as {
        selectFrom(table: string): { select(column: string): { execute(): Promise<{ name: string }[]> } };
      };
      expect(names(await kysely.selectFrom('crm_core.crm_tags').select('name').execute())).toEqual(['ours']);
      expect(await em.count(Tag.entity, {})).toBe(1);
      expect(await em.execute('update crm_core.crm_tags set name = name returning name')).toHaveLength(1);
      expect(await em.execute('delete from crm_core.crm_tags where name = ? returning name', ['theirs'])).toEqual([]);
    });
  });

  it("without the ORM's filter, and without an organisation sees nothing at all", async () => {
    await inOrganization(fixture.app, ours.id, async (em) => {
      const rows = (await em.find(Tag.entity, {}, { filters: false })) as RecordRow[];
      expect(rows.map((row) => row['name'])).toEqual(['ours']);
    });
    const em = fixture.app.orm.em.fork();
    expect(await em.execute('select 1 from crm_core.crm_tags')).toEqual([]);
    expect(await em.execute('select 1 from crm_core.core_organizations')).toEqual([]);
  });

  it('keeps its context to itself in transactions that share connections', async () => {
    const seen = await Promise.all(
      Array.from({ length: 40 }, (_, index) => {
        const { id } = index % 2 === 0 ? ours : theirs;
        return inOrganization(fixture.app, id, async (em) =>
          names(await em.execute('select name from crm_core.crm_tags, pg_sleep(0.005)')),
        );
      }),
    );
    seen.forEach((tagNames, index) => expect(tagNames).toEqual([index % 2 === 0 ? 'ours' : 'theirs']));
  });

  it('nor writes into it', async () => {
    const row = {
      id: uuidv7(),
      ...baseColumns({ organizationId: theirs.id, actor: adminOf(theirs), at: new Date() }),
      name: 'smuggled',
    };
    await expect(
      inOrganization(fixture.app, ours.id, (em) => insertRows(em, [{ into: Tag, rows: [row] }])),
    ).rejects.toMatchObject({ code: '42501' });
    await expect(
      inOrganization(fixture.app, ours.id, (em) =>
        em.execute('update crm_core.crm_tags set organization_id = ?', [theirs.id]),
      ),
    ).rejects.toMatchObject({ code: '42501' });
    expect(
      await refusalCode(ours.records.create(writeAs(adminOf(ours)), tags, { name: 'x', organizationId: theirs.id })),
    ).toBe('invalid');
  });
});

describe('a reference to another organisation', () => {
  it('is refused wherever a record can name one', async () => {
    const [account, person, user, calendar] = [
      await makeAccount(theirs),
      await makePerson(theirs),
      await makeUser(theirs),
      await makeCalendar(theirs),
    ];
    const mine = await makeAccount(ours);
    const create = (resource: (typeof resources)[number], body: unknown) =>
      ours.records.create(writeAs(adminOf(ours)), resource, body);
    const refused = async (work: Promise<unknown>) => {
      const { code, errors } = await refusalOf(work);
      expect(code).toBe('reference_not_found');
      return errors.map(({ path }) => path);
    };
    expect(
      await refused(create(accounts, { accountName: 'A', parentAccountId: account.id, ownerUserId: user.id })),
    ).toEqual(['parentAccountId', 'ownerUserId']);
    expect(await refused(create(contacts, { personId: person.id, accountId: mine.id }))).toEqual(['personId']);
    expect(await refused(create(notes, { subjectType: 'account', subjectId: account.id, body: 'x' }))).toEqual([
      'subjectId',
    ]);
    expect(await refused(create(tasks, { title: 'x', subjectId: account.id }))).toEqual(['subjectType']);
    expect(
      await refused(
        create(users, { fullName: 'x', email: 'x@example.com', delegateUserId: user.id, calendarId: calendar.id }),
      ),
    ).toEqual(['calendarId', 'delegateUserId']);
    expect(
      await refused(
        ours.records.patch(writeAs(adminOf(ours)), organizations, ours.id, '*', {
          fallbackUserId: user.id,
          calendarId: calendar.id,
        }),
      ),
    ).toEqual(['fallbackUserId', 'calendarId']);
    expect(
      await refused(ours.records.patch(writeAs(adminOf(ours)), accounts, mine.id, '*', { ownerUserId: user.id })),
    ).toEqual(['ownerUserId']);
  });

  it('is checked again when a record turns to another kind of subject', async () => {
    const task = await make(ours, tasks, {
      title: 'Call',
      subjectType: 'account',
      subjectId: (await makeAccount(ours)).id,
    });
    expect(
      await refusalCode(ours.records.patch(writeAs(adminOf(ours)), tasks, task.id, '*', { subjectType: 'person' })),
    ).toBe('reference_not_found');
    await expect(
      ours.records.patch(writeAs(adminOf(ours)), tasks, task.id, '*', { subjectType: null, subjectId: null }),
    ).resolves.toMatchObject({ status: 200 });
  });

  it('is refused to a record that is deleted', async () => {
    const account = await makeAccount(ours);
    await ours.records.remove(writeAs(adminOf(ours)), accounts, account.id, '*');
    expect(
      await refusalCode(
        ours.records.create(writeAs(adminOf(ours)), accounts, { accountName: 'Child', parentAccountId: account.id }),
      ),
    ).toBe('reference_not_found');
  });
});

describe("the relay's role", () => {
  it('sees all organisations, through SQL and the ORM', async () => {
    await acrossOrganizations(fixture.relay, async (em) => {
      expect(names(await em.execute('select name from crm_core.crm_tags'))).toEqual(['ours', 'theirs']);
      expect(await em.count(Tag.entity, {})).toBe(2);
    });
    await inOrganization(fixture.relay, ours.id, async (em) => expect(await em.count(Tag.entity, {})).toBe(1));
  });

  it('is not to be had by the application', async () => {
    await expect(acrossOrganizations(fixture.app, () => Promise.resolve())).rejects.toThrow('crm_relay');
    await inOrganization(fixture.app, ours.id, async (em) => {
      const [row]: { user: string; bypass: boolean }[] = await em.execute(
        'select current_user as user, rolbypassrls or rolsuper as bypass from pg_roles where rolname = current_user',
      );
      expect(row).toEqual({ user: 'crm_app', bypass: false });
    });
  });

  it('finds row-level security forced on every table', async () => {
    const rows: { relname: string; policies: number }[] = await acrossOrganizations(fixture.relay, (em) =>
      em.execute(`select relname, (select count(*)::int from pg_policy where polrelid = c.oid) as policies from pg_class c
        where relnamespace = 'crm_core'::regnamespace and relkind = 'r' and relforcerowsecurity and relrowsecurity and relname <> 'crm_migrations'`),
    );
    expect(rows).toHaveLength(entities.length);
    expect(rows.every(({ policies }) => policies === 2)).toBe(true);
  });
});
