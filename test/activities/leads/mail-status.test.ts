import { describe, expect, it } from '@jest/globals';
import { people } from '../../../db/parties/person.ts';
import { projectRoute } from '../../../db/leads/projection.queries.ts';
import { createLeadActivities } from '../../../activities/leads.ts';
import type { CaptureBody } from '../../../workflows/leads/capture.ts';
import type { EmailStatus } from '../../../workflows/leads/facts.ts';
import { normaliseIntake } from '../../../workflows/leads/normalisation.ts';
import { databaseFixture } from '../../db/database-fixture.ts';
import { makeScoringModel, writeAs } from '../../support/factories.ts';
import { berlin, type House, makeHouse } from './house.ts';

const fixture = databaseFixture();

const ada = { fullName: 'Ada Lovelace', phone: berlin(51) };
const refused = { ...ada, email: 'ada@refused.example' };

/** A house that scores by what is known of a lead's mail: 30 for one that is accepted, 20 unknown, 0 refused. */
async function houseOfMails(): Promise<House> {
  const house = await makeHouse(fixture.app, {
    emailStatus: (domain) => (domain.startsWith('refused') ? 'rejects' : 'accepts'),
  });
  await makeScoringModel(house.org, {
    fitWeight: 1,
    engagementWeight: 0,
    fit: [
      { label: 'Mail is accepted', when: 'emailStatus == "accepts"', points: 30 },
      { label: 'Nothing is known of the mail', when: 'emailStatus == "unknown"', points: 20 },
    ],
  });
  return house;
}

const known = async (house: House, leadId: string) => {
  const { email, email_status: emailStatus } = await house.lead(leadId);
  return { email, emailStatus };
};

const rescored = async (house: House, leadId: string) => (await house.send(leadId, 'rescore')).state.score;

/** Ada on record by a mail that is refused, whose lead has closed, captured anew by the same phone and this mail. */
async function knownByPhone(house: House, email: string) {
  const first = await house.capture(refused);
  await house.send(first.leadId, 'disqualify', { reason: 'no_need' });
  return house.capture({ ...ada, email });
}

describe('the score of a lead', () => {
  it('goes by its own mail at its capture and ever after, also when its person is known by another', async () => {
    const house = await houseOfMails();
    const { leadId, state, answer } = await knownByPhone(house, 'ada@work.example');
    expect(await house.sql('select primary_email, email_status from crm_core.crm_people')).toEqual([
      { primary_email: 'ada@refused.example', email_status: 'rejects' },
    ]);
    expect(answer.body).toMatchObject({ emailStatus: 'accepts', person: { emailStatus: 'rejects' } });
    expect(state.score).toBe(30);
    expect(await rescored(house, leadId)).toBe(30);
    expect((await house.send(leadId, 'reassign')).state.score).toBe(30);
    expect((await house.send(leadId, 'touch')).state.score).toBe(30);
  });

  it('is not spoilt for others by what is said of its mail', async () => {
    const house = await houseOfMails();
    const first = await house.capture({ ...ada, email: 'ada@work.example' });
    await house.send(first.leadId, 'disqualify', { reason: 'no_need' });
    const { leadId, state } = await house.capture(refused);
    expect(state.score).toBe(0);
    expect(await rescored(house, leadId)).toBe(0);
    expect(await house.sql('select email_status from crm_core.crm_people')).toEqual([{ email_status: 'accepts' }]);
  });

  it('is not that of a mail when the lead has none', async () => {
    const house = await houseOfMails();
    const first = await house.capture(refused);
    await house.send(first.leadId, 'disqualify', { reason: 'no_need' });
    const { leadId, state } = await house.capture(ada);
    expect(state.score).toBe(20);
    expect(await rescored(house, leadId)).toBe(20);
  });
});

describe('what is known of a mail', () => {
  it('goes with it to the lead that takes it over, and leaves with it', async () => {
    const house = await houseOfMails();
    const survivor = await house.capture({ fullName: 'Augusta King', phone: berlin(52) });
    const other = await house.capture(refused);
    await house.send(other.leadId, 'merge', { intoLeadId: survivor.leadId });
    expect(await known(house, survivor.leadId)).toEqual({ email: refused.email, emailStatus: 'rejects' });
    expect(await rescored(house, survivor.leadId)).toBe(0);
    await house.send(other.leadId, 'unmerge');
    expect(await known(house, survivor.leadId)).toEqual({ email: null, emailStatus: 'unknown' });
    expect(await known(house, other.leadId)).toEqual({ email: refused.email, emailStatus: 'rejects' });
    expect(await rescored(house, survivor.leadId)).toBe(20);
    const trail = await house.sql(
      "select before, after from (select value_before as before, value_after as after, subject_version from crm_core.crm_auditlog where subject_id = ? and field = 'emailStatus') e order by subject_version",
      [survivor.leadId],
    );
    expect(trail).toEqual([
      { before: 'unknown', after: 'rejects' },
      { before: 'rejects', after: 'unknown' },
    ]);
  });

  it('goes with the mail of a capture that is merged by its phone, and with it to a person of its own', async () => {
    const house = await houseOfMails();
    const first = await house.capture(ada);
    const second = await house.capture(refused);
    expect(second.state.mergedIntoLeadId).toBe(first.leadId);
    expect(await known(house, first.leadId)).toEqual({ email: refused.email, emailStatus: 'rejects' });
    const third = await house.capture({ fullName: 'Byron', email: refused.email });
    await house.send(third.leadId, 'unmerge');
    const { person_id: personId } = await house.lead(third.leadId);
    expect(await house.count('crm_people', "person_id = ? and email_status = 'rejects'", [personId])).toBe(1);
  });

  it('stays with a survivor that has a mail of its own', async () => {
    const house = await houseOfMails();
    const survivor = await house.capture({ fullName: 'Augusta King', email: 'augusta@work.example' });
    const other = await house.capture(refused);
    await house.send(other.leadId, 'merge', { intoLeadId: survivor.leadId });
    expect(await known(house, survivor.leadId)).toMatchObject({ emailStatus: 'accepts' });
    await house.send(other.leadId, 'unmerge');
    expect(await known(house, survivor.leadId)).toMatchObject({ emailStatus: 'accepts' });
  });

  it('is what the latest look-up of the same mail says, unless that says nothing', async () => {
    const house = await houseOfMails();
    const first = await house.capture(refused);
    const captureAs = async (emailStatus: EmailStatus) => {
      const { leadId } = await house.receive(refused);
      const mailExchange = { lookup: () => Promise.resolve(emailStatus) };
      const activities = createLeadActivities({ database: fixture.app, mailExchange });
      await activities.decideIntake({ organizationId: house.org.id, leadId, at: new Date().toISOString() });
      return (await known(house, first.leadId)).emailStatus;
    };
    expect(await captureAs('unknown')).toBe('rejects');
    expect(await captureAs('accepts')).toBe('accepts');
    expect(await rescored(house, first.leadId)).toBe(30);
  });
});

describe('a person', () => {
  it('who is given another primary mail has no status until that was looked up; any other change leaves it', async () => {
    const house = await houseOfMails();
    const { leadId } = await house.capture(refused);
    const id = String((await house.lead(leadId))['person_id']);
    const patch = async (changes: object) =>
      (await house.org.records.patch(writeAs(house.admin), people, id, '*', changes)).body?.['emailStatus'];
    expect(await patch({ country: 'GB', primaryEmail: 'ADA@refused.example' })).toBe('rejects');
    expect(await patch({ primaryEmail: 'ada@work.example' })).toBe('unknown');
    await house.send(leadId, 'disqualify', { reason: 'no_need' });
    await house.capture({ ...ada, email: 'ada@work.example' });
    expect(await house.sql('select email_status from crm_core.crm_people')).toEqual([{ email_status: 'accepts' }]);
    expect(await known(house, leadId)).toEqual({ email: refused.email, emailStatus: 'rejects' });
  });
});

describe('the projection', () => {
  it('goes by an earlier look-up of the mail for a lead, be it not the mail that its person is known by', async () => {
    const house = await houseOfMails();
    const { leadId } = await knownByPhone(house, 'ada@work.example');
    await house.send(leadId, 'disqualify', { reason: 'no_need' });
    const project = (body: CaptureBody) => {
      const { intake, steps } = normaliseIntake(body, { defaultRegion: 'DE' });
      return projectRoute(house.database, house.admin, { intake, steps }, new Date());
    };
    expect(await project({ ...ada, email: 'ada@work.example' })).toMatchObject({
      emailStatus: 'accepts',
      emailStatusFrom: 'earlier_look_up',
      score: 30,
      explanation: { facts: { emailStatus: 'accepts' } },
    });
    expect(await project({ ...ada, email: 'ada@third.example' })).toMatchObject({
      emailStatus: 'unknown',
      emailStatusFrom: 'assumed',
    });
  });
});
