import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import pg from 'pg';
import pino from 'pino';
import { v7 as uuidv7 } from 'uuid';
import type { Deliver } from '../../api/processes/delivery.ts';
import { writeInSteps } from '../../db/automation/stepwise-writes.queries.ts';
import { forgetOldAnswers } from '../../db/automation/ledger-retention.queries.ts';
import { readAnswer, storeAnswer } from '../../db/automation/answers.queries.ts';
import { owedStatement, receiveCommand, type StoredCommand } from '../../db/automation/ledger.queries.ts';
import { claimOwedCommands, leaveToRelay } from '../../db/automation/owed-commands.queries.ts';
import { acrossOrganizations, type Database, inOrganization, openDatabase } from '../../db/database.ts';
import { Problem } from '../../db/model/problem.ts';
import { createOwedCommandsRound } from '../../workers/owed-commands.ts';
import { startRelay } from '../../workers/relay.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';
import { adminOf, makeOrganization, type TestOrganization, writeAs } from '../support/factories.ts';
import { eventually, sharedTemporal } from '../support/temporal.ts';

const log = pino({ level: 'silent' });
let owner: TestDatabase;
let database: Database;
let relay: Database;
let environment: TestWorkflowEnvironment;
let org: TestOrganization;

beforeAll(async () => {
  [owner, environment] = await Promise.all([testDatabase(), sharedTemporal()]);
  database = await openDatabase({ url: owner.url, role: 'crm_app' });
  relay = await openDatabase({ url: owner.url, role: 'crm_relay' });
});
afterAll(async () => {
  await Promise.all([database?.close(), relay?.close(), environment?.teardown()]);
  await owner?.close();
});
beforeEach(async () => {
  await execute('delete from crm_core.crm_commands');
  org = await makeOrganization(database);
});

const execute = <Row>(sql: string, parameters: unknown[] = []) =>
  acrossOrganizations(relay, (em) => em.execute<Row[]>(sql, parameters));

/** A command that an API has received `secondsAgo` and then died, so that its lease has run out. */
async function makeOwed(recordId: string, secondsAgo: number, { leaseSeconds = -1 } = {}): Promise<string> {
  const commandId = uuidv7();
  const write = writeAs(adminOf(org), { receivedAt: new Date(Date.now() - secondsAgo * 1_000) });
  await receiveCommand(database, write, { commandId, process: 'lead', message: 'touch', recordId, body: {} });
  await setLease(commandId, leaseSeconds);
  return commandId;
}

/** A command as an API receives it now. */
async function receive(recordId: string, sender: 'waits' | 'promised' = 'waits') {
  const command = { commandId: uuidv7(), process: 'lead', message: 'touch', recordId, body: {} };
  const receipt = await receiveCommand(database, writeAs(adminOf(org)), command, sender);
  if (receipt.outcome !== 'new') throw new Error(receipt.outcome);
  return receipt;
}

const setLease = (commandId: string, seconds: number) =>
  execute('update crm_core.crm_commands set lease_until = now() + make_interval(secs => ?) where command_id = ?', [
    seconds,
    commandId,
  ]);

async function readCommand(commandId: string) {
  const [row] = await execute<{ state: string; attempts: number; last_failure: string | null; pause: number }>(
    `select state, attempts, last_failure, extract(epoch from lease_until - now())::int as pause from crm_core.crm_commands where command_id = ?`,
    [commandId],
  );
  return row;
}

const carryOut = async (command: StoredCommand): ReturnType<Deliver> => {
  await inOrganization(database, command.organizationId, (em) => storeAnswer(em, command.commandId, 200, {}));
  return { outcome: 'answered', status: 200, body: {} };
};

describe('owed commands', () => {
  it('are delivered in order for each record, once their lease has run out', async () => {
    const [one, two] = [uuidv7(), uuidv7()];
    const third = await makeOwed(one, 10);
    const first = await makeOwed(one, 30);
    const second = await makeOwed(one, 20);
    const other = await makeOwed(two, 15);
    const leased = await makeOwed(uuidv7(), 60, { leaseSeconds: 30 });
    const delivered: string[][] = [];
    const deliverLogged: Deliver = (command) => {
      delivered.at(-1)?.push(command.commandId);
      return carryOut(command);
    };
    const round = createOwedCommandsRound({ relay, deliver: deliverLogged, log });
    for (let found = 'some'; found !== 'none'; found = await round()) delivered.push([]);
    expect(delivered.map((ids) => ids.toSorted())).toEqual([[first, other].toSorted(), [second], [third], []]);
    expect(await readCommand(leased)).toMatchObject({ state: 'received', attempts: 0 });
  });

  it('wait for an older one of the same record that somebody else delivers', async () => {
    const recordId = uuidv7();
    await makeOwed(recordId, 20, { leaseSeconds: 30 });
    await makeOwed(recordId, 10);
    expect(await claimOwedCommands(relay, 20)).toEqual([]);
  });

  it('keep their places: what comes behind one is behind until it is carried out itself', async () => {
    const recordId = uuidv7();
    const first = await receive(recordId);
    expect(first.isBehind).toBe(false);
    await leaveToRelay(database, first.command, 'no answer within the time');
    const second = await receive(recordId);
    expect(second.isBehind).toBe(true);
    const round = createOwedCommandsRound({ relay, deliver: carryOut, log });
    await round();
    expect(await readCommand(first.command.commandId)).toMatchObject({ state: 'answered' });
    const third = await receive(recordId);
    expect(third.isBehind).toBe(true);
    expect((await receive(uuidv7())).isBehind).toBe(false);

    const ids = [second, third].map(({ command }) => command.commandId);
    expect((await claimOwedCommands(relay, 20)).map(({ commandId }) => commandId)).toEqual([ids[0]]);
    const stolen = await receive(recordId);
    expect(stolen.isBehind).toBe(true);
  });

  it('go before what comes later, whoever left them: a process, or an API that promised and delivers still', async () => {
    const [owed, promised, waiting] = [uuidv7(), uuidv7(), uuidv7()];
    const command = { commandId: uuidv7(), process: 'lead', message: 'touch', recordId: owed, body: {} };
    const { sql, parameters } = owedStatement(writeAs(adminOf(org)), command);
    await inOrganization(database, org.id, (em) => em.execute(sql, [...parameters]));
    const atWork = await receive(promised, 'promised');
    await receive(waiting);
    expect((await receive(owed)).isBehind).toBe(true);
    expect((await receive(promised)).isBehind).toBe(true);
    // Nobody was told of it yet, so nobody can say that it came first.
    expect((await receive(waiting)).isBehind).toBe(false);
    expect((await claimOwedCommands(relay, 20)).map(({ recordId }) => recordId)).toEqual([owed]);
    await leaveToRelay(database, atWork.command, 'no answer within the time');
    expect((await claimOwedCommands(relay, 20)).map(({ commandId }) => commandId)).toEqual([atWork.command.commandId]);
  });

  it('come with all that their delivery needs', async () => {
    const recordId = uuidv7();
    const commandId = await makeOwed(recordId, 10);
    const [command] = await claimOwedCommands(relay, 20);
    expect(command).toEqual({
      commandId,
      organizationId: org.id,
      process: 'lead',
      message: 'touch',
      recordId,
      body: {},
      actor: expect.objectContaining({ kind: 'user', organizationId: org.id }),
      receivedAt: expect.any(Date),
      attempts: 1,
    } satisfies Record<keyof StoredCommand, unknown>);
    expect(await readCommand(commandId)).toMatchObject({ pause: 30 });
  });

  it('are never delivered by two relays at the same time', async () => {
    const ids = await Promise.all(Array.from({ length: 60 }, (_, index) => makeOwed(uuidv7(), 100 - index)));
    const second = await openDatabase({ url: owner.url, role: 'crm_relay' });
    const counts = new Map<string, number>();
    const deliver: Deliver = async (command) => {
      counts.set(command.commandId, (counts.get(command.commandId) ?? 0) + 1);
      return carryOut(command);
    };
    const rounds = [relay, second].map((pool) => createOwedCommandsRound({ relay: pool, deliver, log }));
    while ((await Promise.all(rounds.map((round) => round()))).some((found) => found !== 'none'));
    expect(counts).toEqual(new Map(ids.map((id) => [id, 1])));
    await second.close();
  });

  it('without an outcome are tried again after ever longer pauses, with the reason kept', async () => {
    const commandId = await makeOwed(uuidv7(), 10);
    const round = createOwedCommandsRound({
      relay,
      deliver: async () => ({ outcome: 'pending', reason: 'no answer within the time' }),
      log,
    });
    const pauses: unknown[] = [];
    for (let attempt = 1; attempt <= 6; attempt++) {
      await round();
      const { pause, attempts, last_failure } = (await readCommand(commandId))!;
      expect({ attempts, last_failure }).toEqual({ attempts: attempt, last_failure: 'no answer within the time' });
      pauses.push(pause);
      await setLease(commandId, -1);
    }
    expect(pauses).toEqual([2, 4, 8, 16, 30, 30]);
  });

  it('stay owed when the delivery itself breaks', async () => {
    const commandId = await makeOwed(uuidv7(), 10);
    const round = createOwedCommandsRound({ relay, deliver: () => Promise.reject(new TypeError('secret')), log });
    await round();
    expect(await readCommand(commandId)).toMatchObject({ state: 'received', last_failure: 'TypeError' });
  });

  it('that their process refuses do not hold up the younger ones', async () => {
    const recordId = uuidv7();
    const [refused, next] = [await makeOwed(recordId, 20), await makeOwed(recordId, 10)];
    const deliver: Deliver = async (command) => {
      if (command.commandId !== refused) return carryOut(command);
      // As the API's delivery does: nothing happened, the key is free again.
      await execute('delete from crm_core.crm_commands where command_id = ?', [refused]);
      return { outcome: 'refused', problem: new Problem('illegal_stage', 'Too late.') };
    };
    const round = createOwedCommandsRound({ relay, deliver, log });
    await round();
    await round();
    expect(await readCommand(next)).toMatchObject({ state: 'answered' });
  });

  it('are delivered after PostgreSQL has cut every connection', async () => {
    const second = await openDatabase({ url: owner.url, role: 'crm_relay' });
    const loop = startRelay({
      relay: second,
      deliver: carryOut,
      temporal: environment.client,
      taskQueue: `test-${uuidv7()}`,
      log,
    });
    await acrossOrganizations(second, (em) => em.execute('select 1'));
    const superuser = new pg.Client({ connectionString: owner.url });
    await superuser.connect();
    const { rows: cut } = await superuser.query<{ pid: number }>(
      `select pid, pg_terminate_backend(pid) from pg_stat_activity where application_name = 'crm_relay' and datname = current_database()`,
    );
    await eventually('the connections are gone', async () => {
      const pids = cut.map(({ pid }) => pid);
      return (await superuser.query('select from pg_stat_activity where pid = any($1)', [pids])).rowCount === 0;
    });
    await superuser.end();
    const commandId = await makeOwed(uuidv7(), 10);
    await eventually('it is delivered', async () => (await readCommand(commandId))?.state === 'answered', {
      seconds: 20,
    });
    await loop.stop();
    await second.close();
  });

  it('are polled for until the relay is stopped, which lets a delivery end', async () => {
    const commandId = await makeOwed(uuidv7(), 10);
    let finish: () => void = () => undefined;
    const finished = new Promise<void>((resolve) => (finish = resolve));
    let begun = false;
    const deliver: Deliver = async (command) => {
      begun = true;
      await finished;
      return carryOut(command);
    };
    const loop = startRelay({ relay, deliver, temporal: environment.client, taskQueue: `test-${uuidv7()}`, log });
    await eventually('the delivery has begun', () => begun);
    const stopped = loop.stop();
    finish();
    await stopped;
    expect(await readCommand(commandId)).toMatchObject({ state: 'answered' });
  });
});

describe('old answers', () => {
  it('are forgotten after a day with their body, so that the key can be used anew; the row stays', async () => {
    const write = writeAs(adminOf(org));
    const command = {
      commandId: uuidv7(),
      process: 'lead',
      message: 'touch',
      recordId: uuidv7(),
      body: { note: 'private' },
    };
    await receiveCommand(database, write, command);
    await inOrganization(database, org.id, (em) => storeAnswer(em, command.commandId, 200, { fullName: 'Ada' }));
    const owed = await makeOwed(uuidv7(), 30 * 3_600);
    const brokenOff = () =>
      writeInSteps(database, { ...write, route: 'bulk' }, () => Promise.reject(new Error('gone')));
    await expect(brokenOff()).rejects.toThrow('gone');
    expect(await forgetOldAnswers(relay, 10)).toBe(0);
    expect((await receiveCommand(database, write, { ...command, commandId: uuidv7() })).outcome).toBe('answered');

    await execute(
      `update crm_core.crm_commands set created_at = created_at - interval '25 hours', answered_at = answered_at - interval '25 hours'`,
    );
    expect(await forgetOldAnswers(relay, 10)).toBe(2);
    expect(await forgetOldAnswers(relay, 10)).toBe(0);
    const [row] = await execute<{ body: unknown; answer: unknown; answer_status: number }>(
      'select body, answer, answer_status from crm_core.crm_commands where command_id = ?',
      [command.commandId],
    );
    expect(row).toEqual({ body: null, answer: null, answer_status: 200 });
    expect(await readAnswer(database, org.id, command.commandId)).toEqual({ status: 200, body: null });
    expect((await receiveCommand(database, write, { ...command, commandId: uuidv7() })).outcome).toBe('new');
    expect(await readCommand(owed)).toMatchObject({ state: 'received' });
  });
});
