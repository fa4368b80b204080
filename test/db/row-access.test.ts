import { beforeAll, describe, expect, it } from '@jest/globals';
import { teams } from '../../db/access/team.ts';
import type { Actor } from '../../db/access/actor.ts';
import { notes } from '../../db/engagement/note.ts';
import { taggings } from '../../db/engagement/tagging.ts';
import { tags } from '../../db/engagement/tag.ts';
import { tasks } from '../../db/engagement/task.ts';
import { auditLog } from '../../db/governance/audit-entry.ts';
import { leads } from '../../db/leads/lead.ts';
import { propertyInterests } from '../../db/leads/property-interest.ts';
import { accounts } from '../../db/parties/account.ts';
import { contacts } from '../../db/parties/contact.ts';
import { externalRefs } from '../../db/parties/external-ref.ts';
import { people } from '../../db/parties/person.ts';
import type { Resource } from '../../db/model/define-resource.ts';
import {
  adminOf,
  make,
  type Made,
  makeAccount,
  makeLead,
  makeOrganization,
  makePerson,
  makeTeam,
  makeUser,
  managerOf,
  marketer,
  salesRep,
  suffix,
  supporter,
  type TestOrganization,
  writeAs,
} from '../support/factories.ts';
import { databaseFixture, refusalCode } from './database-fixture.ts';

const fixture = databaseFixture();
let org: TestOrganization;
let rep: Actor;
let otherRep: Actor;
let manager: Actor;
let own: { lead: Made; person: Made };
let foreign: { lead: Made; person: Made };
let repUser: Made;

const everything = { filters: [], sort: [], limit: 200 };
const ids = async (actor: Actor, resource: Resource) =>
  (await org.records.list(actor, resource, everything)).data.map(({ id }) => id);
const patch = (actor: Actor, resource: Resource, id: string, body: unknown) =>
  org.records.patch(writeAs(actor), resource, id, '*', body);
const create = (actor: Actor, resource: Resource, body: unknown) => org.records.create(writeAs(actor), resource, body);
const fresh = async () => ({ personId: (await makePerson(org)).id });

beforeAll(async () => {
  org = await makeOrganization(fixture.app);
  repUser = await makeUser(org);
  const otherUser = await makeUser(org);
  const team = await makeTeam(org, [repUser]);
  const otherTeam = await makeTeam(org, [otherUser]);
  [rep, otherRep, manager] = [salesRep(org, repUser), salesRep(org, otherUser), managerOf(org, team)];
  const leadOf = async (user: Made, ofTeam: Made) => {
    const person = await makePerson(org, { primaryPhone: '+4930111222' });
    return {
      person,
      lead: await makeLead(org, person, {
        assignedUserId: user.id,
        teamId: ofTeam.id,
        stage: 'assigned',
        message: 'Call me',
      }),
    };
  };
  own = await leadOf(repUser, team);
  foreign = await leadOf(otherUser, otherTeam);
});

describe('a sales rep', () => {
  it('reads own leads and the people behind them, writes them, and no others', async () => {
    expect(await ids(rep, leads)).toEqual([own.lead.id]);
    expect(await ids(rep, people)).toEqual([own.person.id]);
    expect(await refusalCode(org.records.get(rep, leads, foreign.lead.id))).toBe('not_found');
    expect(await refusalCode(patch(rep, leads, foreign.lead.id, { urgency: 'high' }))).toBe('not_found');
    expect(await patch(rep, leads, own.lead.id, { urgency: 'high' })).toMatchObject({ status: 200 });
    expect(await patch(rep, people, own.person.id, { personaLabels: ['buyer'] })).toMatchObject({ status: 200 });
    const seen = await org.records.get(rep, leads, own.lead.id, { expand: ['person'] });
    expect(seen).toMatchObject({ person: { id: own.person.id } });
  });

  it('sees what hangs on own leads, and hangs nothing on others', async () => {
    const onOwn = await make(org, notes, { subjectType: 'lead', subjectId: own.lead.id, body: 'asked for a price' });
    const onForeign = await make(org, notes, { subjectType: 'lead', subjectId: foreign.lead.id, body: 'elsewhere' });
    const seen = await ids(rep, notes);
    expect(seen).toContain(onOwn.id);
    expect(seen).not.toContain(onForeign.id);
    expect(await ids(otherRep, notes)).not.toContain(onOwn.id);
    expect(await create(rep, notes, { subjectType: 'lead', subjectId: own.lead.id, body: 'called' })).toMatchObject({
      status: 201,
    });
    expect(
      await refusalCode(create(rep, notes, { subjectType: 'lead', subjectId: foreign.lead.id, body: 'spy' })),
    ).toBe('reference_not_found');
    expect(await refusalCode(create(rep, propertyInterests, { leadId: foreign.lead.id, projectId: own.lead.id }))).toBe(
      'reference_not_found',
    );
    const interest = await make(org, propertyInterests, { leadId: own.lead.id, projectId: foreign.lead.id });
    expect(await ids(rep, propertyInterests)).toEqual([interest.id]);
    expect(await ids(otherRep, propertyInterests)).toEqual([]);
  });

  it('reads every account, and writes own ones', async () => {
    const mine = await makeAccount(org, { ownerUserId: repUser.id });
    const other = await makeAccount(org);
    expect(await ids(rep, accounts)).toEqual(expect.arrayContaining([mine.id, other.id]));
    expect(await patch(rep, accounts, mine.id, { industry: 'food' })).toMatchObject({ status: 200 });
    expect(await refusalCode(patch(rep, accounts, other.id, { industry: 'food' }))).toBe('forbidden');
    expect(await create(rep, contacts, { personId: own.person.id, accountId: mine.id })).toMatchObject({ status: 201 });
    expect(await refusalCode(create(rep, contacts, { personId: own.person.id, accountId: other.id }))).toBe(
      'forbidden',
    );
    const task = await create(rep, tasks, { title: 'Call', assignedUserId: repUser.id });
    expect(await ids(rep, tasks)).toEqual([task.body?.['id']]);
    expect(await ids(otherRep, tasks)).toEqual([]);
  });

  it('reads the history of what it sees, but not the audit', async () => {
    expect((await org.records.timeline(rep, leads, own.lead.id, { limit: 10 })).data.length).toBeGreaterThan(0);
    expect(await refusalCode(org.records.timeline(rep, leads, foreign.lead.id, { limit: 10 }))).toBe('not_found');
    expect(await refusalCode(org.records.audit(rep, leads, own.lead.id, { limit: 10 }))).toBe('forbidden');
    expect(await refusalCode(org.records.list(rep, auditLog, everything))).toBe('forbidden');
  });

  it('configures nothing', async () => {
    const team = await makeTeam(org);
    expect(await refusalCode(patch(rep, teams, team.id, { name: 'Mine' }))).toBe('forbidden');
    expect(await refusalCode(create(rep, teams, { name: 'Mine' }))).toBe('forbidden');
  });
});

describe('a manager', () => {
  it("reads the organisation, writes the own team's and what nobody has, and is forbidden the rest", async () => {
    const unassigned = await makeLead(org, await makePerson(org));
    expect(await ids(manager, leads)).toEqual(expect.arrayContaining([own.lead.id, foreign.lead.id, unassigned.id]));
    expect(await patch(manager, leads, own.lead.id, { urgency: 'low' })).toMatchObject({ status: 200 });
    expect(await patch(manager, leads, unassigned.id, { urgency: 'low' })).toMatchObject({ status: 200 });
    expect(await refusalCode(patch(manager, leads, foreign.lead.id, { urgency: 'low' }))).toBe('forbidden');
    expect(await patch(manager, people, own.person.id, { country: 'DE' })).toMatchObject({ status: 200 });
    expect(await refusalCode(patch(manager, people, foreign.person.id, { country: 'DE' }))).toBe('forbidden');
    expect(
      await refusalCode(create(manager, propertyInterests, { leadId: foreign.lead.id, projectId: own.lead.id })),
    ).toBe('forbidden');
    expect(await create(manager, propertyInterests, { leadId: own.lead.id, projectId: own.lead.id })).toMatchObject({
      status: 201,
    });
  });

  it('writes accounts of the team, own ones and unowned ones', async () => {
    const managerUserId = manager.kind === 'user' ? manager.userId : '';
    for (const ownerUserId of [repUser.id, managerUserId, null]) {
      const account = await makeAccount(org, { ownerUserId });
      expect(await patch(manager, accounts, account.id, { industry: 'food' })).toMatchObject({ status: 200 });
      expect(await create(manager, contacts, { ...(await fresh()), accountId: account.id })).toMatchObject({
        status: 201,
      });
    }
    const foreignAccount = await makeAccount(org, { ownerUserId: (await makeUser(org)).id });
    expect(await refusalCode(patch(manager, accounts, foreignAccount.id, { industry: 'food' }))).toBe('forbidden');
    expect(await refusalCode(create(manager, contacts, { ...(await fresh()), accountId: foreignAccount.id }))).toBe(
      'forbidden',
    );
    const lead = await makeLead(org, await makePerson(org), {
      assignedUserId: managerUserId,
      teamId: foreign.lead['teamId'],
    });
    expect(await patch(manager, people, String(lead['personId']), { country: 'AT' })).toMatchObject({ status: 200 });
  });

  it('reads the audit of everything', async () => {
    await patch(adminOf(org), leads, own.lead.id, { sourceRef: 'fair' });
    const { data } = await org.records.audit(manager, leads, own.lead.id, { limit: 1 });
    expect(data).toEqual([expect.objectContaining({ field: 'sourceRef', after: 'fair' })]);
  });
});

describe('what hangs on a record', () => {
  const changes = async (actor: Actor, resource: Resource, id: string, body: object) =>
    (await patch(actor, resource, id, body).catch((error: { code: string }) => error)) as { status: number };
  const on = (subjectType: string, { id: subjectId }: Made) => ({ subjectType, subjectId });
  let mine: { account: Made; contact: Made };
  let others: { account: Made; contact: Made };

  beforeAll(async () => {
    const bookOf = async (ownerUserId: string) => {
      const account = await makeAccount(org, { ownerUserId });
      return { account, contact: await make(org, contacts, { ...(await fresh()), accountId: account.id }) };
    };
    mine = await bookOf(repUser.id);
    others = await bookOf((await makeUser(org)).id);
  });

  it('is changed by its author and by whoever owns the record, and not by everybody who reads it', async () => {
    const edit = { body: 'another text' };
    const support = supporter(org);
    for (const subject of [on('lead', own.lead), on('account', mine.account), on('contact', mine.contact)]) {
      const { id } = await make(org, notes, { ...subject, body: 'from somebody else' });
      expect(await changes(rep, notes, id, edit)).toMatchObject({ status: 200 });
      expect(await changes(manager, notes, id, edit)).toMatchObject({ status: 200 });
    }
    for (const subject of [on('account', others.account), on('contact', others.contact)]) {
      const foreignNote = await make(org, notes, { ...subject, body: 'from somebody else' });
      for (const actor of [rep, otherRep, support, manager]) {
        expect(await changes(actor, notes, foreignNote.id, edit)).toMatchObject({ code: 'forbidden' });
        expect(await refusalCode(org.records.remove(writeAs(actor), notes, foreignNote.id, '*'))).toBe('forbidden');
      }
      const written = String((await create(rep, notes, { ...subject, body: 'met at a fair' })).body?.['id']);
      expect(await changes(rep, notes, written, edit)).toMatchObject({ status: 200 });
      expect(await changes(manager, notes, written, edit)).toMatchObject({ status: 200 });
      for (const actor of [otherRep, support])
        expect(await changes(actor, notes, written, edit)).toMatchObject({ code: 'forbidden' });
    }
  });

  it('as a reference into another product is made and changed by whoever owns the record', async () => {
    const reference = (subject: object) => ({ ...subject, system: 'shop', externalId: suffix() });
    const edit = { url: 'https://shop.example/1' };
    for (const subject of [on('account', mine.account), on('contact', mine.contact), on('person', own.person)]) {
      const { id } = await make(org, externalRefs, reference(subject));
      for (const actor of [rep, manager]) {
        expect(await changes(actor, externalRefs, id, edit)).toMatchObject({ status: 200 });
        expect(await create(actor, externalRefs, reference(subject))).toMatchObject({ status: 201 });
      }
    }
    for (const subject of [on('account', others.account), on('contact', others.contact)]) {
      const { id } = await make(org, externalRefs, reference(subject));
      for (const actor of [rep, manager]) {
        expect(await changes(actor, externalRefs, id, edit)).toMatchObject({ code: 'forbidden' });
        expect(await refusalCode(create(actor, externalRefs, reference(subject)))).toBe('forbidden');
      }
      expect(await refusalCode(org.records.remove(writeAs(manager), externalRefs, id, '*'))).toBe('forbidden');
    }
  });

  it('as a tag is put there by everybody, and taken away as a note is; managers say which tags there are', async () => {
    const tag = await make(org, tags, { name: `tag ${suffix()}` });
    const marketing = marketer(org);
    for (const actor of [rep, supporter(org), marketing]) {
      expect(await refusalCode(create(actor, tags, { name: `tag ${suffix()}` }))).toBe('forbidden');
      expect(await changes(actor, tags, tag.id, { name: 'Mine' })).toMatchObject({ code: 'forbidden' });
      expect(await refusalCode(org.records.remove(writeAs(actor), tags, tag.id, '*'))).toBe('forbidden');
    }
    expect(await create(manager, tags, { name: `tag ${suffix()}` })).toMatchObject({ status: 201 });

    const { id: byAdmin } = await make(org, taggings, { tagId: tag.id, ...on('lead', own.lead) });
    const takesAway = (actor: Actor, id: string) => org.records.remove(writeAs(actor), taggings, id, '*');
    expect(await refusalCode(takesAway(marketing, byAdmin))).toBe('forbidden');
    expect(await refusalCode(takesAway(otherRep, byAdmin))).toBe('forbidden');
    expect(await takesAway(rep, byAdmin)).toMatchObject({ status: 204 });
    const byMarketing = await create(marketing, taggings, { tagId: tag.id, ...on('lead', foreign.lead) });
    expect(await refusalCode(takesAway(rep, String(byMarketing.body?.['id'])))).toBe('forbidden');
    expect(await takesAway(marketing, String(byMarketing.body?.['id']))).toMatchObject({ status: 204 });
  });
});

describe('deletion', () => {
  const remove = (actor: Actor, resource: Resource, id: string) =>
    org.records.remove(writeAs(actor), resource, id, '*');
  const restore = (actor: Actor, resource: Resource, id: string) => org.records.restore(writeAs(actor), resource, id);
  async function removeInBulk(actor: Actor, resource: Resource, id: string): Promise<unknown> {
    const { version } = await org.records.get(adminOf(org), resource, id);
    const operation = { method: 'remove' as const, id, version: Number(version) };
    const { body } = await org.records.bulk(writeAs(actor), resource, [operation]);
    const [outcome] = (body?.['outcomes'] ?? []) as { problem?: { code: string } }[];
    return outcome?.problem?.code;
  }

  /** Records that a sales rep may change, each with its resource. */
  async function writableByRep(): Promise<(readonly [Resource, string])[]> {
    const person = await makePerson(org);
    const lead = await makeLead(org, person, {
      assignedUserId: repUser.id,
      teamId: own.lead['teamId'],
      stage: 'assigned',
    });
    const account = await makeAccount(org, { ownerUserId: repUser.id });
    const contact = await make(org, contacts, { personId: person.id, accountId: account.id });
    const ref = await make(org, externalRefs, {
      subjectType: 'lead',
      subjectId: lead.id,
      system: 'shop',
      externalId: lead.id,
    });
    return [
      [externalRefs, ref.id],
      [contacts, contact.id],
      [accounts, account.id],
      [people, person.id],
      [leads, lead.id],
    ];
  }

  it('is not for the sales rep who may change the record, whichever way it is asked for', async () => {
    for (const [resource, id] of await writableByRep()) {
      expect(await refusalCode(remove(rep, resource, id))).toBe('forbidden');
      expect(await removeInBulk(rep, resource, id)).toBe('forbidden');
      await remove(adminOf(org), resource, id);
      expect(['forbidden', 'not_found']).toContain(await refusalCode(restore(rep, resource, id)));
      await restore(adminOf(org), resource, id);
    }
  });

  it('is for the manager of the team, who can also bring back; not for another one, support or marketing', async () => {
    const otherManager = managerOf(org, await makeTeam(org, []));
    for (const [resource, id] of await writableByRep()) {
      for (const actor of [otherManager, supporter(org), marketer(org)])
        expect(['forbidden', 'not_found']).toContain(await refusalCode(remove(actor, resource, id)));
      expect(await remove(manager, resource, id)).toMatchObject({ status: 204 });
      expect(await restore(manager, resource, id)).toMatchObject({ status: 200 });
      expect(await removeInBulk(manager, resource, id)).toBeUndefined();
      await restore(manager, resource, id);
    }
  });

  it('is for whoever may write where nothing else is said', async () => {
    const note = await create(rep, notes, { subjectType: 'lead', subjectId: own.lead.id, body: 'a slip' });
    expect(await remove(rep, notes, String(note.body?.['id']))).toMatchObject({ status: 204 });
  });
});

describe('marketing', () => {
  it('reads leads without contact data, and does not find them by it', async () => {
    const actor = marketer(org);
    const { data } = await org.records.list(actor, leads, everything);
    const seen = data.find(({ id }) => id === own.lead.id);
    for (const field of ['fullName', 'email', 'phone', 'message', 'personId', 'consent'])
      expect(seen).not.toHaveProperty(field);
    expect(seen).toMatchObject({ stage: 'assigned', score: 0 });
    const list = (query: object) => refusalCode(org.records.list(actor, leads, { ...everything, ...query }));
    expect(await list({ filters: [{ field: 'email', op: 'contains', value: 'a' }] })).toBe('forbidden');
    expect(await list({ filters: [{ field: 'personId', op: 'null', value: 'false' }] })).toBe('forbidden');
    expect(await list({ q: 'person' })).toBe('forbidden');
    expect(await list({ fields: ['email'] })).toBe('invalid');
    expect(await org.records.get(actor, leads, own.lead.id, { expand: ['person'] })).toMatchObject({ person: null });
  });

  it('has no people, no audit, no timeline, and writes no lead', async () => {
    const actor = marketer(org);
    expect(await refusalCode(org.records.list(actor, people, everything))).toBe('forbidden');
    expect(await refusalCode(org.records.audit(actor, leads, own.lead.id, { limit: 1 }))).toBe('forbidden');
    expect(await refusalCode(org.records.timeline(actor, leads, own.lead.id, { limit: 1 }))).toBe('forbidden');
    expect(await refusalCode(patch(actor, leads, own.lead.id, { urgency: 'low' }))).toBe('forbidden');
  });
});

describe('others', () => {
  it('support reads customers but no leads', async () => {
    const actor = supporter(org);
    expect(await ids(actor, people)).toContain(foreign.person.id);
    expect(await refusalCode(org.records.list(actor, leads, everything))).toBe('forbidden');
    expect(await refusalCode(patch(actor, people, own.person.id, { country: 'DE' }))).toBe('forbidden');
  });

  it('a role that does not exist, and a service without the scope, have nothing', async () => {
    const nobody: Actor = { kind: 'user', organizationId: org.id, userId: repUser.id, roles: ['emperor'] };
    const service: Actor = {
      kind: 'service',
      organizationId: org.id,
      clientId: 'website',
      scopes: ['crm:leads:capture'],
    };
    for (const actor of [nobody, service]) {
      expect(await refusalCode(org.records.list(actor, leads, everything))).toBe('forbidden');
      expect(await refusalCode(create(actor, accounts, { accountName: 'x' }))).toBe('forbidden');
    }
  });
});
