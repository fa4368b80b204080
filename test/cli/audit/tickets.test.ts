import { beforeEach, expect, it } from '@jest/globals';
import { v7 as uuidv7 } from 'uuid';
import { ticketProcess } from '../../../workflows/tickets/messages.ts';
import { findingsIn, interval, plantedInstallation, type PlantedRows, secondsAgo, startedAt } from './installation.ts';

const installation = plantedInstallation();
let rows: PlantedRows;
beforeEach(() => {
  rows = installation();
});
const found = () => findingsIn(rows);

it('tickets that agree are clean: at work, in the queue, ended, or loaded by a set-up', async () => {
  const pausedAt = secondsAgo(300);
  await rows.clock(await rows.ticket(), {}, [interval(startedAt, pausedAt), interval(pausedAt, null, 'paused')]);
  await rows.ticket({ stage: 'queued', assigned_user_id: null, next_step: 'route', next_due_at: secondsAgo(-60) });
  const endedAt = secondsAgo(10);
  const planned = { next_step: 'close', next_due_at: secondsAgo(-60) };
  const resolved = await rows.ticket({ stage: 'resolved', status: 'resolved', resolved_at: endedAt, ...planned });
  await rows.clock(await rows.moved('ticket', resolved, 'resolved'), { state: 'met', ended_at: endedAt }, [
    interval(startedAt, endedAt),
  ]);
  await rows.ticket({ created_by: 'process:demo' }, 'command');
  expect(await found()).toEqual({});
});

it('an opening leaves a row, a command and a line in the timeline', async () => {
  const answered = await rows.command({ process: ticketProcess.name, message: ticketProcess.startUpdate });
  const [uncommanded, untold] = [await rows.ticket({}, 'command'), await rows.ticket({}, 'timeline')];
  expect(await found()).toEqual({
    'answered-without-ticket': [`command ${answered}`],
    'ticket-without-command': [`ticket ${uncommanded}`],
    'opening-untold': [`ticket ${untold}`],
  });
});

it('open tickets are counted, explained, and within the capacity', async () => {
  await rows.set('crm_users', 'user_id', rows.userId, { ticket_capacity: 1 });
  await rows.set('crm_team_members', 'user_id', rows.userId, { turns: 2 });
  const unexplained = await rows.ticket({}, 'assignment');
  for (let given = 0; given < 2; given += 1)
    await rows.routing(await rows.ticket({}, 'assignment'), { user_id: rows.userId, took_turn: true });
  const users = { 'routing-unexplained': [`ticket ${unexplained}`], 'tickets-over-capacity': [`user ${rows.userId}`] };
  expect(await found()).toEqual(users);
  await rows.change('user', rows.userId, { field: 'ticketCapacity', value_before: '2', value_after: '1' });
  await rows.client.query('update crm_core.crm_users set open_tickets = open_tickets + 1 where user_id = $1', [
    rows.userId,
  ]);
  expect(await found()).toEqual({
    'routing-unexplained': [`ticket ${unexplained}`],
    'ticket-load-miscounted': [`user ${rows.userId}`],
  });
});

it('clocks are noticed when late, end with their ticket, and are explained without a gap', async () => {
  const [late, left, gap, short] = [
    await rows.ticket(),
    await rows.ticket({ stage: 'closed', status: 'closed', closed_at: new Date() }),
    await rows.ticket(),
    await rows.ticket(),
  ];
  await rows.clock(late, { due_at: secondsAgo(70) });
  await rows.clock(await rows.moved('ticket', left, 'closed'), { state: 'paused', due_at: null }, [
    interval(startedAt, null, 'paused'),
  ]);
  await rows.clock(gap, {}, [interval(startedAt, secondsAgo(300)), interval(secondsAgo(299), null)]);
  await rows.clock(short, { state: 'met', ended_at: secondsAgo(10) }, [interval(startedAt, secondsAgo(20))]);
  expect(await found()).toEqual({
    'breach-unnoticed': [`ticket ${late}`],
    'clock-left-running': [`ticket ${left}`],
    'clock-unexplained': [`ticket ${gap}`, `ticket ${short}`].toSorted(),
  });
});

/** The step of a breach on record. */
async function breachOnRecord(ticketId: string, clockId: string, values: Record<string, unknown> = {}): Promise<void> {
  const due = { target: 'resolution', step: 'breach', life: 0, due_at: secondsAgo(60), detected_at: secondsAgo(60) };
  const row = { ticket_step_id: uuidv7(), ticket_id: ticketId, sla_clock_id: clockId, outcome: 'breached', ...due };
  await rows.insert('crm_ticket_steps', { ...row, user_id: rows.userId, ...values });
}

/** A ticket that was merged into another one. */
async function merged(into: string): Promise<string> {
  const final = { stage: 'merged', status: 'merged', closed_at: new Date() };
  return rows.moved('ticket', await rows.ticket({ ...final, merged_into_ticket_id: into }), 'merged');
}

it('a clock is late when a step says so, and only then; whoever has the ticket is told', async () => {
  const late = { state: 'breached', breached: true, breached_at: secondsAgo(60), life: 1 };
  const [told, unrecorded, takenBack, untold] = [
    await rows.ticket(),
    await rows.ticket(),
    await rows.ticket(),
    await rows.ticket(),
  ];
  const clocks = [
    await rows.clock(told, late),
    await rows.clock(unrecorded, late),
    await rows.clock(takenBack, { life: 1 }),
    await rows.clock(untold, late),
  ] as const;
  await breachOnRecord(told, clocks[0], { life: 0, outcome: 'taken back: not due by then' });
  await breachOnRecord(told, clocks[0], { life: 1 });
  await breachOnRecord(unrecorded, clocks[1], { life: 0 });
  await breachOnRecord(takenBack, clocks[2], { life: 0 });
  for (const id of [told, told, unrecorded, takenBack]) await rows.notice('ticket', id, 'ticket.breach');
  await breachOnRecord(untold, clocks[3], { life: 1 });
  // What was told of before a merge brought it here is not told again.
  const survivor = await rows.ticket();
  await rows.merge('ticket', await merged(survivor), survivor);
  await breachOnRecord(survivor, await rows.clock(survivor, late), { life: 1 });
  expect(await found()).toEqual({
    'breach-unrecorded': [`ticket ${unrecorded}`],
    'notice-missing': [`ticket ${untold}`],
  });
  await rows.set('crm_sla_clocks', 'sla_clock_id', clocks[0], { breached: false, state: 'paused' });
  expect((await found())['breach-unrecorded']).toEqual([`ticket ${told}`, `ticket ${unrecorded}`].toSorted());
});

it('a clock that runs is waited for', async () => {
  const [nothing, later, never] = [await rows.ticket(), await rows.ticket(), await rows.ticket()];
  for (const id of [nothing, later, never]) await rows.clock(id);
  await rows.set('crm_tickets', 'ticket_id', nothing, { next_step: null, next_due_at: null });
  await rows.set('crm_tickets', 'ticket_id', later, { next_due_at: secondsAgo(-3_600) });
  await rows.set('crm_sla_clocks', 'ticket_id', never, { due_at: null });
  expect(await found()).toEqual({
    'clock-unplanned': [nothing, later, never].map((id) => `ticket ${id}`).toSorted(),
    unplanned: [`ticket ${nothing}`],
  });
});
