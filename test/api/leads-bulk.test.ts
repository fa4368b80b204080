import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { v7 as uuidv7 } from 'uuid';
import { suffix } from '../support/factories.ts';
import { type LeadDesk, openLeadDesk, person } from './lead-desk.ts';
import { problemOf, testApi } from './support.ts';

interface BulkAnswer {
  outcomes: { index: number; status: number; id?: string; problem?: { code: string } }[];
}
const bulkOf = (...bodies: object[]) => ({ operations: bodies.map((body) => ({ method: 'create', body })) });

let desk: LeadDesk;
beforeAll(async () => void (desk = await openLeadDesk()), 120_000);
afterAll(() => desk?.close());

describe('leads in bulk', () => {
  it('creates by bulk, each row a capture', async () => {
    const known = await desk.captured();
    const operations = [
      { method: 'create', body: person() },
      { method: 'create', body: { fullName: 'Nobody' } },
      { method: 'update', id: known.id, version: 99, body: { company: 'X' } },
      {
        method: 'update',
        id: known.id,
        version: (known as unknown as { version: number }).version,
        body: { company: 'Engines' },
      },
    ];
    const response = await desk.send('POST', '/crm/v1/leads/bulk', { body: { operations } });
    const { outcomes: first } = (await response.json()) as BulkAnswer;
    expect(first.map(({ index, status, problem }) => [index, status, problem?.code])).toEqual([
      [0, 201, undefined],
      [1, 400, 'invalid'],
      [2, 412, 'stale'],
      [3, 200, undefined],
    ]);
  });

  it("answers a repeated bulk as the first time, refusals too; its key is no other request's, whatever was refused", async () => {
    const headers = { 'idempotency-key': uuidv7() };
    const body = bulkOf(person(), { fullName: 'Nobody' });
    const first = await desk.send('POST', '/crm/v1/leads/bulk', { body, headers });
    const answer = (await first.json()) as BulkAnswer;
    expect([first.status, answer.outcomes.map(({ status }) => status)]).toEqual([200, [201, 400]]);
    const again = await desk.send('POST', '/crm/v1/leads/bulk', { body, headers });
    expect([again.headers.get('idempotency-replayed'), await again.json()]).toEqual(['true', answer]);

    const email = `later-${suffix()}@example.com`;
    const other = bulkOf(person(), person({ email }), person({ email: `third-${email}` }));
    const reused = await desk.send('POST', '/crm/v1/leads/bulk', { body: other, headers });
    expect([reused.status, (await problemOf(reused)).code]).toEqual([422, 'idempotency_key_reused']);
    const found = await desk.send('GET', `/crm/v1/leads?filter[email][contains]=${email}`);
    expect(((await found.json()) as { data: unknown[] }).data).toEqual([]);
  });

  it('finishes what a bulk left when it broke off half way, and does nothing twice', async () => {
    const people = [person(), person(), person({ email: `unlucky-${suffix()}@example.com` })];
    const request = { body: bulkOf(...people), headers: { 'idempotency-key': uuidv7() } };
    const options = { organizationId: desk.org.id, userId: desk.manager, roles: ['manager'], ...request };
    const breaking = await testApi(desk.stored.url, {
      deliver: async (owed, sender) => {
        if (JSON.stringify(owed.body).includes('unlucky')) throw new Error('the process of the API ends here');
        return desk.deliver(owed, sender);
      },
    });
    expect((await breaking.send('POST', '/crm/v1/leads/bulk', options)).status).toBe(500);
    await breaking.close();
    const kept = await desk.send('GET', `/crm/v1/leads?filter[email][in]=${people.map(({ email }) => email).join()}`);
    expect(((await kept.json()) as { data: unknown[] }).data).toHaveLength(2);

    const owing = await desk.send('POST', '/crm/v1/leads/bulk', request);
    expect([owing.status, (await problemOf(owing)).code]).toEqual([409, 'in_progress']);
    await desk.endLeases({ organizationId: desk.org.id });
    await desk.relayOwed();
    const finished = await desk.send('POST', '/crm/v1/leads/bulk', request);
    const answer = (await finished.json()) as BulkAnswer;
    expect([finished.status, answer.outcomes.map(({ status }) => status)]).toEqual([200, [201, 201, 201]]);
    const again = await desk.send('POST', '/crm/v1/leads/bulk', request);
    expect([again.headers.get('idempotency-replayed'), await again.json()]).toEqual(['true', answer]);
    const all = await desk.send('GET', `/crm/v1/leads?filter[email][in]=${people.map(({ email }) => email).join()}`);
    const ids = ((await all.json()) as { data: { id: string }[] }).data.map(({ id }) => id);
    expect(new Set(ids)).toEqual(new Set(answer.outcomes.map(({ id }) => id)));
    expect(ids).toHaveLength(3);
  });
});
