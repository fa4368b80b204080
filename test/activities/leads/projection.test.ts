import { describe, expect, it } from '@jest/globals';
import { projectRoute } from '../../../db/leads/projection.queries.ts';
import type { CaptureBody } from '../../../workflows/leads/capture.ts';
import { normaliseIntake } from '../../../workflows/leads/normalisation.ts';
import { databaseFixture } from '../../db/database-fixture.ts';
import { makeAccount, makeTeam, makeUser } from '../../support/factories.ts';
import { after, berlin, form, type House, makeHouse } from './house.ts';

const fixture = databaseFixture();

function project(house: House, body: CaptureBody, at = new Date()) {
  const { intake, steps } = normaliseIntake(body, { defaultRegion: 'DE' });
  return projectRoute(house.database, house.admin, { intake, steps }, at);
}

/** How many rows each table of the product has, in this organisation. */
async function rowCounts(house: House): Promise<Record<string, number>> {
  const tables = await house.sql<{ table_name: string }>(
    "select table_name from information_schema.tables where table_schema = 'crm_core' order by 1",
  );
  const counts: Record<string, number> = {};
  for (const { table_name: table } of tables) counts[table] = await house.count(table);
  return counts;
}

describe('the route projection', () => {
  it('writes nothing, and uses up no turn', async () => {
    const house = await makeHouse(fixture.app);
    const before = await rowCounts(house);
    await project(house, form());
    expect(await rowCounts(house)).toEqual(before);
    expect(await house.sql('select turns from crm_core.crm_team_members')).toEqual([{ turns: 0 }, { turns: 0 }]);
  });

  it('makes the choice that the intake which follows makes, time after time', async () => {
    const house = await makeHouse(fixture.app, { emailStatus: 'unknown' });
    for (let round = 0; round < 5; round++) {
      const [body, at] = [form({ phone: berlin(round), country: round % 2 ? 'FR' : 'DE' }), new Date()];
      const projected = await project(house, body, at);
      const { state } = await house.capture(body, { receivedAt: at });
      expect(projected).toMatchObject({
        outcome: 'assigned',
        score: state.score,
        band: state.band,
        assignedUserId: state.assignedUserId,
        nextStep: state.next?.step,
        nextDueAt: state.next?.dueAt,
      });
    }
  });

  it('explains normalisation, facts, score, and every candidate', async () => {
    const house = await makeHouse(fixture.app);
    const { explanation } = (await project(house, { fullName: ' Ada  Lovelace', email: 'ADA@example.com' })) as {
      explanation: Record<string, unknown>;
    };
    expect(Object.keys(explanation)).toEqual(['normalization', 'duplicates', 'facts', 'score', 'assignment']);
    expect(explanation).toMatchObject({
      facts: { emailDomain: 'example.com' },
      score: { contributions: expect.any(Array) },
    });
    expect((explanation['assignment'] as { candidates: unknown[] }).candidates).toHaveLength(2);
    expect(explanation['normalization']).not.toEqual([]);
  });

  it('foretells a merge', async () => {
    const house = await makeHouse(fixture.app);
    const { leadId } = await house.capture(form({ email: 'ada@example.com' }));
    expect(await project(house, form({ email: 'ada@example.com' }))).toMatchObject({
      outcome: 'merged',
      mergedIntoLeadId: leadId,
    });
  });

  it('knows the owner of an account, and what an earlier look-up said of the mail', async () => {
    const house = await makeHouse(fixture.app, { emailStatus: 'rejects' });
    const owner = await makeUser(house.org);
    await makeTeam(house.org, [owner]);
    await makeAccount(house.org, { domain: 'engines.example', ownerUserId: owner.id });
    const { leadId } = await house.capture(form({ email: 'ada@engines.example' }));
    await house.send(leadId, 'disqualify', { reason: 'spam' });
    const projected = await project(house, form({ email: 'ada@engines.example' }));
    expect(projected).toMatchObject({ assignedUserId: owner.id, explanation: { facts: { emailStatus: 'rejects' } } });
  });

  it('says when nobody could get it, and for whom it would wait until when, as the intake does', async () => {
    const at = new Date();
    const users = async (org: House['org']) => [
      await makeUser(org, {
        outOfOfficeFrom: after(at, -60).toISOString(),
        outOfOfficeUntil: after(at, 20).toISOString(),
      }),
    ];
    const house = await makeHouse(fixture.app, { users });
    const body = form();
    const projected = await project(house, body, at);
    const { leadId, state } = await house.capture(body, { receivedAt: at });
    expect(projected).toMatchObject({
      outcome: 'scored',
      assignedUserId: null,
      teamId: (await house.lead(leadId))['team_id'],
      nextStep: 'find_owner',
      nextDueAt: state.next?.dueAt,
    });
  });

  it('says what it goes by of the mail, which it does not look up: an earlier look-up of the same mail, or nothing', async () => {
    const house = await makeHouse(fixture.app, { emailStatus: 'rejects' });
    const body = form({ fullName: 'Ada Lovelace', email: 'ada@example.com', phone: berlin(5) });
    const { leadId } = await house.capture(body);
    await house.send(leadId, 'disqualify', { reason: 'spam' });
    const goesBy = async (about: CaptureBody) => {
      const { emailStatus, emailStatusFrom } = await project(house, about);
      return [emailStatus, emailStatusFrom];
    };
    expect(await goesBy(body)).toEqual(['rejects', 'earlier_look_up']);
    expect(await goesBy({ ...body, email: 'other@example.com' })).toEqual(['unknown', 'assumed']);
    expect(await goesBy(form())).toEqual(['unknown', 'assumed']);
    expect(await goesBy({ fullName: 'Ada Lovelace', phone: berlin(5) })).toEqual(['unknown', 'no_mail']);
  });
});
