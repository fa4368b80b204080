import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { type Database, inOrganization, openDatabase } from '../../../db/database.ts';
import type { CaptureBody } from '../../../workflows/leads/capture.ts';
import { databaseFixture } from '../../db/database-fixture.ts';
import { eventually } from '../../support/temporal.ts';
import { berlin, besides, form, type House, makeHouse, untilDecided } from './house.ts';

const fixture = databaseFixture();
let second: Database;

beforeAll(async () => {
  second = await openDatabase({ url: fixture.url, role: 'crm_app' });
});

afterAll(() => second.close());

/** Receives all, then decides all at once, turn by turn through two workers' pools of connections. */
async function decideAtOnce(house: House, bodies: readonly CaptureBody[]) {
  const other = besides(house, second);
  const captures = await Promise.all(bodies.map((body) => house.receive(body)));
  const decided = await Promise.all(
    captures.map(({ leadId }, index) => untilDecided(index % 2 ? other : house, leadId)),
  );
  return decided.map(({ state }) => state);
}

const duplicates = `
  select count(*) as n from crm_core.crm_leads a join crm_core.crm_leads b on a.lead_id < b.lead_id
  where a.status = 'open' and b.status = 'open'
    and (a.email = b.email or (a.phone = b.phone and a.normalized_name = b.normalized_name))`;

describe('captures of one person at the same time', () => {
  it('a hundred under different keys make one open lead, which hears of the ninety-nine others', async () => {
    const house = await makeHouse(fixture.app);
    const spellings = (index: number): CaptureBody => ({
      fullName: index % 2 ? 'Ada Lovelace' : 'Lovelace, Ada',
      email: index % 3 ? 'ADA@example.com' : 'ada@example.com',
      phone: '030 901820',
    });
    const states = await decideAtOnce(
      house,
      Array.from({ length: 100 }, (_, index) => spellings(index)),
    );
    const open = states.filter((state) => state.status === 'open');
    expect(open).toHaveLength(1);
    expect(states.filter((state) => state.stage === 'merged')).toHaveLength(99);
    const [survivor] = await house.sql<{ lead_id: string; engagement_count: number }>(
      "select lead_id, engagement_count from crm_core.crm_leads where status = 'open'",
    );
    expect(survivor?.engagement_count).toBe(99);
    expect(new Set(states.map((state) => state.mergedIntoLeadId))).toEqual(new Set([undefined, survivor?.lead_id]));
    expect(await house.count('crm_people')).toBe(1);
    expect(await house.count('crm_merges')).toBe(99);
    expect(await house.count('crm_commands', "state = 'answered' and answer_status = 200")).toBe(99);
    expect(await house.count('crm_notifications')).toBe(1);
  });

  it('that share now the mail, now the phone, never wait for each other in a circle', async () => {
    const house = await makeHouse(fixture.app);
    const [mails, phones] = [
      ['one@example.com', 'two@example.com', 'three@example.com'],
      [berlin(1), berlin(2), berlin(3)],
    ];
    const bodies = Array.from(
      { length: 60 },
      (_, index) =>
        ({
          fullName: 'Ada Lovelace',
          email: mails[index % 3],
          phone: phones[Math.floor(index / 3) % 3],
        }) as CaptureBody,
    );
    const states = await decideAtOnce(house, bodies);
    expect(states.filter((state) => state.status === 'open').length).toBeLessThanOrEqual(3);
    const [pairs] = await house.sql<{ n: string }>(duplicates);
    expect(Number(pairs?.n)).toBe(0);
    expect(await house.count('crm_leads')).toBe(60);
    expect(await house.count('crm_commands', "state = 'answered' and message = 'captured'")).toBe(60);
  });

  it('one capture decided by several workers is decided once', async () => {
    const house = await makeHouse(fixture.app);
    const { leadId } = await house.receive(form());
    const other = besides(house, second);
    const states = await Promise.all(
      Array.from({ length: 12 }, (_, index) => (index % 2 ? house : other).decide(leadId)),
    );
    expect(new Set(states.map((state) => JSON.stringify(state))).size).toBe(1);
    expect([
      await house.count('crm_leads'),
      await house.count('crm_lead_assignments'),
      await house.count('crm_notifications'),
    ]).toEqual([1, 1, 1]);
  });

  it('a capture that meets the closing of its survivor either merges before or stands alone after', async () => {
    const house = await makeHouse(fixture.app);
    for (let round = 0; round < 5; round++) {
      const email = `ada-${round}@example.com`;
      const first = await house.capture(form({ email }));
      const next = await house.receive(form({ email }));
      const [, state] = await Promise.all([
        house.send(first.leadId, 'disqualify', { reason: 'spam' }),
        house.decide(next.leadId),
      ]);
      const survivor = await house.lead(first.leadId);
      expect(survivor).toMatchObject({ status: 'disqualified', engagement_count: state.stage === 'merged' ? 1 : 0 });
      expect(['merged', 'assigned']).toContain(state.stage);
    }
  });
});

/** Resolves when so many connections to this database wait for a lock. */
async function waiting(connections: number): Promise<void> {
  const owner = new pg.Client({ connectionString: fixture.url });
  await owner.connect();
  await eventually(`${connections} connections wait`, async () => {
    const { rows } = await owner.query<{ n: string }>(
      "select count(*) as n from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'",
    );
    return Number(rows[0]?.n) === connections;
  });
  await owner.end();
}

/** Begins both, in this order, while a lead is locked: each has come as far as it gets before the lead is free. */
async function whileLocked<A, B>(
  { org }: House,
  leadId: string,
  first: () => Promise<A>,
  then: () => Promise<B>,
): Promise<[A, B]> {
  const begun = await inOrganization(second, org.id, async (em) => {
    await em.execute('select 1 from crm_core.crm_leads where lead_id = ? for update', [leadId]);
    const one = first();
    await waiting(1);
    const other = then();
    await waiting(2);
    return { outcomes: Promise.all([one, other]) };
  });
  return begun.outcomes;
}

describe('a capture and a command that moves its mail at the same time', () => {
  const ada = { fullName: 'Ada Lovelace', email: 'ada@example.com' };

  it('a merge into another lead leaves one open lead, which the capture goes into', async () => {
    const house = await makeHouse(fixture.app);
    const one = await house.capture(ada);
    const other = await house.capture({ fullName: 'Augusta King', phone: berlin(31) });
    const next = await house.receive(ada);
    const [, state] = await whileLocked(
      house,
      other.leadId,
      () => house.send(one.leadId, 'merge', { intoLeadId: other.leadId }),
      () => house.decide(next.leadId),
    );
    expect(state.mergedIntoLeadId).toBe(other.leadId);
    expect(await house.count('crm_leads', "status = 'open'")).toBe(1);
  });

  it('an unmerge leaves one open lead with the mail, which the capture goes into', async () => {
    const house = await makeHouse(fixture.app);
    const one = await house.capture(ada);
    const other = await house.capture({ fullName: 'Augusta King', phone: berlin(32) });
    await house.send(one.leadId, 'merge', { intoLeadId: other.leadId });
    const next = await house.receive(ada);
    const [, state] = await whileLocked(
      house,
      other.leadId,
      () => house.send(one.leadId, 'unmerge'),
      () => house.decide(next.leadId),
    );
    expect(state.mergedIntoLeadId).toBe(one.leadId);
    const [pairs] = await house.sql<{ n: string }>(duplicates);
    expect(Number(pairs?.n)).toBe(0);
  });

  it('captures that meet merges to and fro of their leads never wait for each other in a circle', async () => {
    const house = await makeHouse(fixture.app);
    const one = await house.capture(ada);
    const other = await house.capture({ fullName: 'Augusta King', email: 'augusta@example.com', phone: berlin(33) });
    for (let round = 0; round < 3; round++) {
      const captures = await Promise.all(
        Array.from({ length: 6 }, (_, index) =>
          house.receive({ ...ada, ...(index % 2 ? { email: 'augusta@example.com' } : { phone: berlin(33) }) }),
        ),
      );
      await Promise.all([
        house.send(one.leadId, 'merge', { intoLeadId: other.leadId }),
        ...captures.map(({ leadId }) => house.decide(leadId)),
      ]);
      await Promise.all([house.send(one.leadId, 'unmerge'), house.decide((await house.receive(ada)).leadId)]);
    }
    expect(await house.count('crm_leads', "status = 'open'")).toBe(2);
    const [pairs] = await house.sql<{ n: string }>(duplicates);
    expect(Number(pairs?.n)).toBe(0);
  });
});
