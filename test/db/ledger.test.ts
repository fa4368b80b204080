import { beforeAll, describe, expect, it } from '@jest/globals';
import { v7 as uuidv7 } from 'uuid';
import { readAnswer, storeAnswer } from '../../db/automation/answers.queries.ts';
import { findCommand, receiveCommand, type WriteContext } from '../../db/automation/ledger.queries.ts';
import { keepRefused, keptRefusal, withdrawCommand } from '../../db/automation/refused-commands.queries.ts';
import { writeInSteps } from '../../db/automation/stepwise-writes.queries.ts';
import { acrossOrganizations, inOrganization } from '../../db/database.ts';
import { Problem } from '../../db/model/problem.ts';
import { tags } from '../../db/engagement/tag.ts';
import { adminOf, makeOrganization, suffix, type TestOrganization, writeAs } from '../support/factories.ts';
import { databaseFixture, refusalCode } from './database-fixture.ts';

const fixture = databaseFixture();
let org: TestOrganization;

const tagsNamed = async (name: string) =>
  (
    await org.records.list(adminOf(org), tags, {
      filters: [{ field: 'name', op: 'eq', value: name }],
      sort: [],
      limit: 10,
    })
  ).data.length;

beforeAll(async () => {
  org = await makeOrganization(fixture.app);
});

describe('a plain write', () => {
  it('is done once for each key, and answers the same again', async () => {
    const write = writeAs(adminOf(org));
    const body = { name: `tag ${suffix()}` };
    const first = await org.records.create(write, tags, body);
    const again = await org.records.create(write, tags, body);
    expect(first.replayed).toBe(false);
    expect(again).toEqual({ ...first, replayed: true });
    expect(await tagsNamed(body.name)).toBe(1);
    const removal = writeAs(write.actor);
    const gone = await org.records.remove(removal, tags, String(first.body?.['id']), 1);
    expect(await org.records.remove(removal, tags, String(first.body?.['id']), 1)).toEqual({ ...gone, replayed: true });
  });

  it('refuses a known key for another body, but another principal or route has its own keys', async () => {
    const write = writeAs(adminOf(org));
    await org.records.create(write, tags, { name: `tag ${suffix()}` });
    const reuse = (change: Partial<WriteContext>) =>
      org.records.create({ ...write, requestHash: 'f'.repeat(64), ...change }, tags, { name: `tag ${suffix()}` });
    expect(await refusalCode(reuse({}))).toBe('idempotency_key_reused');
    await expect(reuse({ actor: adminOf(org) })).resolves.toMatchObject({ replayed: false });
    await expect(reuse({ route: 'elsewhere' })).resolves.toMatchObject({ replayed: false });
  });

  it('frees its key when it is refused, and writes nothing', async () => {
    const write = writeAs(adminOf(org));
    expect(await refusalCode(org.records.create(write, tags, { name: '' }))).toBe('invalid');
    expect(await readRows(write.idempotencyKey)).toBe(0);
    const name = `tag ${suffix()}`;
    await org.records.create(writeAs(adminOf(org)), tags, { name });
    expect(await refusalCode(org.records.create(write, tags, { name }))).toBe('duplicate');
    await expect(
      org.records.create({ ...write, requestHash: 'e'.repeat(64) }, tags, { name: `tag ${suffix()}` }),
    ).resolves.toMatchObject({ replayed: false });
    expect(await readRows(write.idempotencyKey)).toBe(1);
  });

  it('has one effect when two requests with its key come at once', async () => {
    const write = writeAs(adminOf(org));
    const body = { name: `tag ${suffix()}` };
    const answers = await Promise.all(Array.from({ length: 8 }, () => org.records.create(write, tags, body)));
    expect(answers.filter(({ replayed }) => !replayed)).toHaveLength(1);
    expect(new Set(answers.map((answer) => answer.body?.['id'])).size).toBe(1);
    expect(await tagsNamed(body.name)).toBe(1);
  });

  it('keeps who asked for what, and the answer', async () => {
    const receivedAt = new Date('2026-11-20T08:00:00.123Z');
    const write = writeAs(adminOf(org), { receivedAt });
    const { body } = await org.records.create(write, tags, { name: `tag ${suffix()}` });
    const rows = await inOrganization(fixture.app, org.id, (em) =>
      em.execute(
        'select state, principal, actor, received_at, answer_status, answer, lease_until from crm_core.crm_commands where idempotency_key = ?',
        [write.idempotencyKey],
      ),
    );
    const principal = write.actor.kind === 'user' ? `user:${write.actor.userId}` : '';
    expect(rows).toEqual([
      {
        state: 'answered',
        principal,
        actor: write.actor,
        received_at: expect.anything(),
        answer_status: 201,
        answer: body,
        lease_until: null,
      },
    ]);
    expect(body?.['createdAt']).toBe(receivedAt.toISOString());
  });
});

describe('a write of many steps', () => {
  const leaseEnds = () =>
    inOrganization(fixture.app, org.id, (em) =>
      em.execute(`update crm_core.crm_commands set lease_until = now() where state = 'received'`),
    );

  it('is at work once at a time, and answers the same again', async () => {
    const write = writeAs(adminOf(org));
    const answer = { status: 200, body: { outcomes: [1, 2] } };
    const first = await writeInSteps(fixture.app, write, async (keepLease) => {
      await leaseEnds();
      await keepLease();
      const meanwhile = writeInSteps(fixture.app, write, () => Promise.reject(new Error('two at work')));
      expect(await refusalCode(meanwhile)).toBe('in_progress');
      return answer;
    });
    expect(first).toEqual({ ...answer, replayed: false });
    const again = () => writeInSteps(fixture.app, write, () => Promise.reject(new Error('done twice')));
    expect(await again()).toEqual({ ...answer, replayed: true });
    const other = writeInSteps(fixture.app, { ...write, requestHash: 'f'.repeat(64) }, () => Promise.resolve(answer));
    expect(await refusalCode(other)).toBe('idempotency_key_reused');
  });

  it('is gone through again when it broke off, and by another while it stands still; the first answer counts', async () => {
    const write = writeAs(adminOf(org));
    const attempt = (outcome: string, before = () => Promise.resolve<unknown>(null)) =>
      writeInSteps(fixture.app, write, async () => {
        await before();
        return { status: 200, body: { outcome } };
      });
    await expect(attempt('none', () => Promise.reject(new Error('broke off')))).rejects.toThrow('broke off');
    const slow = await attempt('slow', async () => {
      await leaseEnds();
      await attempt('quick');
    });
    expect(slow.body).toEqual({ outcome: 'quick' });
    expect((await attempt('third')).body).toEqual({ outcome: 'quick' });
  });
});

describe('a command for a process', () => {
  const command = () => ({
    commandId: uuidv7(),
    process: 'lead',
    message: 'touch',
    recordId: uuidv7(),
    body: { note: 'called' },
  });

  it('is stored before anything else, and known again by its key until it is answered', async () => {
    const write = writeAs(adminOf(org));
    const touch = command();
    const first = await receiveCommand(fixture.app, write, touch);
    expect(first).toMatchObject({ outcome: 'new', command: { ...touch, actor: write.actor, attempts: 0 } });
    const again = await receiveCommand(fixture.app, write, { ...command(), recordId: touch.recordId });
    expect(again).toMatchObject({ outcome: 'running', command: { ...touch, receivedAt: write.receivedAt } });
    expect(await readAnswer(fixture.app, org.id, touch.commandId)).toBeNull();

    const answer = { stage: 'touched' };
    await inOrganization(fixture.app, org.id, async (em) => {
      expect(await findCommand(em, touch.commandId)).toMatchObject({
        ...touch,
        organizationId: org.id,
        receivedAt: write.receivedAt,
        isAnswered: false,
      });
      await storeAnswer(em, touch.commandId, 200, answer);
      await storeAnswer(em, touch.commandId, 409, { code: 'too late' });
      expect(await findCommand(em, touch.commandId)).toMatchObject({ isAnswered: true });
    });
    expect(await receiveCommand(fixture.app, write, touch)).toMatchObject({
      outcome: 'answered',
      status: 200,
      body: answer,
    });
    expect(await readAnswer(fixture.app, org.id, touch.commandId)).toEqual({ status: 200, body: answer });
    expect(await refusalCode(receiveCommand(fixture.app, { ...write, requestHash: 'f'.repeat(64) }, touch))).toBe(
      'idempotency_key_reused',
    );
  });

  it('is withdrawn when it was refused, and not once it is answered', async () => {
    const write = writeAs(adminOf(org));
    const touch = command();
    await receiveCommand(fixture.app, write, touch);
    await withdrawCommand(fixture.app, org.id, touch.commandId);
    const second = command();
    expect(await receiveCommand(fixture.app, write, second)).toMatchObject({ outcome: 'new', command: second });
    await inOrganization(fixture.app, org.id, (em) => storeAnswer(em, second.commandId, 200, {}));
    await withdrawCommand(fixture.app, org.id, second.commandId);
    expect(await readAnswer(fixture.app, org.id, second.commandId)).toEqual({ status: 200, body: {} });
  });

  it('is kept with its refusal when its sender has gone, once, and not over an answer', async () => {
    const write = writeAs(adminOf(org));
    const touch = command();
    const receipt = await receiveCommand(fixture.app, write, touch);
    if (receipt.outcome !== 'new') throw new Error(receipt.outcome);
    const refusal = new Problem('illegal_stage', 'Too late.', [{ path: 'stage', message: 'is qualified' }]);
    await keepRefused(fixture.app, receipt.command, refusal);
    await keepRefused(fixture.app, receipt.command, new Problem('conflict', 'Again.'));
    const kept = await readAnswer(fixture.app, org.id, touch.commandId);
    expect(kept && keptRefusal(kept)).toEqual(refusal);
    expect(await receiveCommand(fixture.app, write, touch)).toMatchObject({ outcome: 'answered', status: 409 });
    const told = await inOrganization(fixture.app, org.id, (em) =>
      em.execute('select kind, summary from crm_core.crm_timeline where subject_id = ?', [touch.recordId]),
    );
    expect(told).toEqual([
      {
        kind: 'lead.command_refused',
        summary: expect.stringMatching(/^touch, accepted at .* was refused: Too late\.$/),
      },
    ]);
    const done = command();
    const other = await receiveCommand(fixture.app, writeAs(adminOf(org)), done);
    if (other.outcome !== 'new') throw new Error(other.outcome);
    await inOrganization(fixture.app, org.id, (em) => storeAnswer(em, done.commandId, 200, {}));
    await keepRefused(fixture.app, other.command, refusal);
    expect(await readAnswer(fixture.app, org.id, done.commandId)).toEqual({ status: 200, body: {} });
  });

  it('is unknown to other organisations, and to the ledger when it never came', async () => {
    const other = await makeOrganization(fixture.app);
    const touch = command();
    await receiveCommand(fixture.app, writeAs(adminOf(org)), touch);
    expect(await readAnswer(fixture.app, other.id, touch.commandId)).toBeNull();
    await inOrganization(fixture.app, other.id, async (em) =>
      expect(await findCommand(em, touch.commandId)).toBeNull(),
    );
    await inOrganization(fixture.app, org.id, async (em) => expect(await findCommand(em, uuidv7())).toBeNull());
  });
});

async function readRows(key: string): Promise<number> {
  return acrossOrganizations(
    fixture.relay,
    async (em) => (await em.execute('select 1 from crm_core.crm_commands where idempotency_key = ?', [key])).length,
  );
}
