import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { makeCalendar, suffix } from '../support/factories.ts';
import { type Product, startProduct } from '../support/product.ts';
import { eventually } from '../support/temporal.ts';
import { expectClean, settle } from '../support/whole-books.ts';
import { capture } from '../support/whole-load.ts';
import { connectTemporal, pendingTimers, type TemporalClient, temporalCli } from '../support/whole-temporal.ts';
import { type Caller, makeTenant, stranger } from '../support/whole-tenant.ts';

let product: Product;
let temporal: TemporalClient;
beforeAll(async () => {
  product = await startProduct();
  temporal = await connectTemporal(product);
}, 240_000);
afterAll(async () => {
  await temporal?.close();
  await product?.stop();
}, 120_000);

async function captured(caller: Caller): Promise<string> {
  const { answer } = await capture(caller);
  const id = String(answer.body['id']);
  await leadIs(caller, id, { stage: 'assigned' });
  return id;
}

async function leadIs(caller: Caller, id: string, wanted: Record<string, unknown>, seconds = 30): Promise<void> {
  const isSo = async () => {
    const { body } = await caller.send('GET', `/crm/v1/leads/${id}`);
    return Object.entries(wanted).every(([name, value]) => body[name] === value);
  };
  await eventually(`lead ${id} is ${JSON.stringify(wanted)}`, isSo, { seconds });
}

const dueOf = async (caller: Caller, id: string) => (await caller.send('GET', `/crm/v1/leads/${id}`)).body['nextDueAt'];

describe('a command', () => {
  it('sent while no worker runs is accepted, and carried out when one is back', async () => {
    const { admin } = await makeTenant(product);
    const id = await captured(admin);
    await product.kill('worker', 'SIGSTOP');
    const key = suffix();
    const touch = () => admin.send('POST', `/crm/v1/leads/${id}/touch`, { body: { channel: 'call' }, key });
    const { status, headers, body } = await touch();
    expect([status, headers.get('location'), body['stage']]).toEqual([202, `/crm/v1/leads/${id}/process`, 'assigned']);
    await product.kill('worker');
    await leadIs(admin, id, { stage: 'touched', engagementCount: 1 }, 90);
    await settle(product);
    const again = await touch();
    expect([again.status, again.body['stage'], again.headers.get('idempotency-replayed')]).toEqual([
      200,
      'touched',
      'true',
    ]);
  }, 180_000);

  it('of somebody with only the Temporal CLI ends the ladder; its query finds the leads of a stage', async () => {
    const { admin } = await makeTenant(product);
    const [touched, waiting] = [await captured(admin), await captured(admin)];
    expect(await pendingTimers(temporal, `lead:${touched}`)).toBe(1);
    await temporalCli(
      product,
      'workflow',
      'signal',
      '--workflow-id',
      `lead:${touched}`,
      '--name',
      'touch',
      '--input',
      '{}',
    );
    await leadIs(admin, touched, { stage: 'touched', nextStep: 'remind_idle' });

    const list = async (stage: string) =>
      temporalCli(product, 'workflow', 'list', '--query', `CrmStage = "${stage}"`, '--limit', '1000');
    await eventually('the visibility store has heard of it', async () => (await list('touched')).includes(touched));
    expect(await list('assigned')).toContain(waiting);
    expect(await list('assigned')).not.toContain(touched);
  }, 120_000);

  it('shows a developer in which line of the process a lead waits', async () => {
    const { admin } = await makeTenant(product);
    const stack = await temporalCli(product, 'workflow', 'stack', '--workflow-id', `lead:${await captured(admin)}`);
    expect(stack).toMatch(/at becomesTrue \(\S+becomes-true\.ts:\d+:\d+\)/);
    expect(stack).toMatch(/at somethingArrives \(\S+run-process\.ts:\d+:\d+\)/);
  });
});

describe('configuration that running leads depend on', () => {
  it('moves their due time when a calendar changes, or somebody is given another one', async () => {
    const { admin, org, reps } = await makeTenant(product);
    const ids = await Promise.all(Array.from({ length: 20 }, () => captured(admin)));
    const calendar = await makeCalendar(org, { hours: { monday: [{ from: '09:00', to: '17:00' }] }, timeZone: 'UTC' });
    const dues = async () => new Set(await Promise.all(ids.map((id) => dueOf(admin, id))));
    const eachDue = (hour: string) => async () =>
      [...(await dues())].every((due) => String(due).endsWith(`T${hour}:00.000Z`));

    for (const { id } of reps) {
      const { status } = await admin.send('PATCH', `/crm/v1/users/${id}`, {
        body: { calendarId: calendar.id },
        headers: { 'if-match': '*' },
      });
      expect(status).toBe(200);
    }
    await eventually('all are due half an hour after the opening on Monday', eachDue('09:30'), { seconds: 60 });
    const hours = { monday: [{ from: '11:00', to: '17:00' }] };
    const changed = await admin.send('PATCH', `/crm/v1/calendars/${calendar.id}`, {
      body: { hours },
      headers: { 'if-match': '*' },
    });
    expect(changed.status).toBe(200);
    await eventually('all are due after the later opening', eachDue('11:30'), { seconds: 60 });
    for (const id of ids.slice(0, 3)) expect(await pendingTimers(temporal, `lead:${id}`)).toBe(1);
  }, 180_000);

  it('gives a lead that nobody could get to who is back in the office', async () => {
    const away = { outOfOfficeFrom: '2020-01-01T00:00:00.000Z' };
    const { admin, reps } = await makeTenant(product, { reps: [away] });
    const { answer } = await capture(admin);
    const id = String(answer.body['id']);
    await leadIs(admin, id, { stage: 'scored', assignedUserId: null });
    const back = await admin.send('PATCH', `/crm/v1/users/${reps[0]?.id}`, {
      body: { outOfOfficeFrom: null },
      headers: { 'if-match': '*' },
    });
    expect(back.status).toBe(200);
    await leadIs(admin, id, { stage: 'assigned', assignedUserId: reps[0]?.id }, 60);
  }, 120_000);
});

describe('a lead', () => {
  it('that is deleted ends its process; restored, it starts a new run', async () => {
    const { admin } = await makeTenant(product);
    const id = await captured(admin);
    const process = temporal.client.workflow.getHandle(`lead:${id}`);
    const first = await process.describe();
    const deleted = await admin.send('DELETE', `/crm/v1/leads/${id}`, { headers: { 'if-match': '*' } });
    expect(deleted.status).toBe(204);
    await eventually('its process has ended', async () => (await process.describe()).status.name === 'COMPLETED', {
      seconds: 30,
    });
    expect((await admin.send('GET', `/crm/v1/leads/${id}`)).status).toBe(404);

    expect((await admin.send('POST', `/crm/v1/leads/${id}/restore`)).status).toBe(200);
    await eventually('another run has begun', async () => (await process.describe()).status.name === 'RUNNING', {
      seconds: 30,
    });
    expect((await process.describe()).runId).not.toBe(first.runId);
    const touched = await admin.send('POST', `/crm/v1/leads/${id}/touch`, { body: {} });
    expect([touched.status, touched.body['stage']]).toEqual([200, 'touched']);
  }, 120_000);

  it('is announced to its assignee by one mail', async () => {
    const { admin, reps } = await makeTenant(product, { reps: [{ capacity: 100 }] });
    const { answer } = await capture(admin, stranger({ fullName: 'Grace Hopper' }));
    await leadIs(admin, String(answer.body['id']), { stage: 'assigned' });
    await settle(product);
    const response = await fetch(`${product.mail}/messages`);
    const { data } = (await response.json()) as { data: { to: string[]; subject: string }[] };
    const mails = data.filter(({ to }) => to.includes(String(reps[0]?.['email'])));
    expect(mails.map(({ subject }) => subject)).toEqual(['New lead: Grace Hopper']);
  }, 120_000);
});

describe('a ticket', () => {
  interface Clock {
    target: string;
    dueAt: string | null;
    startedAt: string;
    intervals: { from: string; to: string | null; kind: 'running' | 'paused' }[];
  }

  it('moves as the preview of its calendar said when somebody with only the Temporal CLI signals it', async () => {
    const { admin, org } = await makeTenant(product);
    // A break every other hour of day and night, so that calendar and wall time differ whenever this runs.
    const hourName = (hour: number) => String(hour).padStart(2, '0');
    const hours = Array.from({ length: 12 }, (_, shift) => ({
      from: `${hourName(2 * shift)}:00`,
      to: `${hourName(2 * shift + 1)}:30`,
    }));
    const days = ['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday'];
    const calendar = await makeCalendar(org, {
      timeZone: 'UTC',
      hours: Object.fromEntries(days.map((day) => [day, hours])),
    });
    const post = async (path: string, body: object) => {
      const answer = await admin.send('POST', `/crm/v1/${path}`, { body });
      expect({ path, status: Math.floor(answer.status / 100), body: answer.body }).toMatchObject({ status: 2 });
      return answer.body;
    };
    await post('sla-policies', {
      name: 'Hourly',
      position: 0,
      when: 'true',
      calendarId: calendar.id,
      targets: {
        P1: { first_response: 30, next_response: 45, resolution: 200 },
        P3: { first_response: 300, next_response: 400, resolution: 2_000 },
      },
    });
    const { id } = await post('tickets', {
      subject: 'The door is stuck',
      requester: { email: 'ada@example.com' },
      priority: 'P3',
    });
    const clocks = async () => {
      const { body } = await admin.send('GET', `/crm/v1/sla-clocks?filter%5BticketId%5D%5Beq%5D=${String(id)}`);
      return body['data'] as Clock[];
    };
    const clock = async (target: string) => (await clocks()).find((one) => one.target === target);
    const preview = async (of: Clock | undefined, minutes: number) => {
      const pauses = of?.intervals.filter(({ kind }) => kind === 'paused').map(({ from, to }) => ({ from, to }));
      return (await post(`calendars/${calendar.id}/preview`, { start: of?.startedAt, minutes, pauses }))['dueAt'];
    };
    const signal = (name: string, payload: object) =>
      temporalCli(
        product,
        'workflow',
        'signal',
        '--workflow-id',
        `ticket:${String(id)}`,
        '--name',
        name,
        '--input',
        JSON.stringify(payload),
      );

    const first = await clock('first_response');
    expect(first?.dueAt).toBe(await preview(first, 300));
    const predicted = await preview(first, 30);
    await signal('setPriority', { priority: 'P1' });
    await eventually('the first response is due as predicted', async () => {
      return (await clock('first_response'))?.dueAt === predicted;
    });

    await post(`tickets/${String(id)}/reply`, { text: 'Have you tried oil?' });
    await signal('setStatus', { status: 'waiting_for_customer' });
    await eventually('the resolution is paused', async () => {
      const resolution = await clock('resolution');
      return resolution?.dueAt === null && resolution.intervals.at(-1)?.kind === 'paused';
    });
    await signal('customerReply', { text: 'It is still stuck.' });
    await eventually('the next response is promised', async () => (await clock('next_response')) !== undefined);
    const [next, resolution] = [await clock('next_response'), await clock('resolution')];
    expect(next?.dueAt).toBe(await preview(next, 45));
    expect(resolution?.dueAt).toBe(await preview(resolution, 200));
    expect(resolution?.intervals.filter(({ kind }) => kind === 'paused')).toHaveLength(1);
    const details = await temporal.client.workflow
      .getHandle(`ticket:${String(id)}`)
      .query('__temporal_workflow_metadata');
    expect(JSON.stringify(details)).toContain(`due ${String(next?.dueAt).slice(0, 10)}`);
  }, 120_000);
});

it('after all of it, `crm audit` finds nothing', async () => {
  await settle(product);
  await expectClean(product);
}, 120_000);
