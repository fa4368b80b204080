import { beforeEach, describe, expect, it } from '@jest/globals';
import { v7 as uuidv7 } from 'uuid';
import { findingsIn, plantedInstallation, type PlantedRows, secondsAgo } from './installation.ts';

const installation = plantedInstallation();
let rows: PlantedRows;
beforeEach(() => {
  rows = installation();
});
const found = () => findingsIn(rows);

describe('the columns of a record', () => {
  it('say of a lead whether it is open, whose it is, and why it ended', async () => {
    const wrong = [
      await rows.lead({ status: 'qualified' }),
      await rows.lead({ closed_at: new Date() }),
      await rows.moved('lead', await rows.lead({ stage: 'touched' }), 'touched'),
      await rows.moved('lead', await rows.lead({ stage: 'disqualified', status: 'disqualified' }), 'disqualified'),
    ];
    const nobody = await rows.lead({ assigned_user_id: null });
    const disqualified = await rows.lead({
      stage: 'disqualified',
      status: 'disqualified',
      disqualify_reason: 'spam',
      next_step: 'remind_idle',
    });
    await rows.moved('lead', disqualified, 'disqualified');
    expect(await found()).toEqual({
      'state-contradicts': [...wrong, nobody, disqualified].map((id) => `lead ${id}`).toSorted(),
    });
  });

  it('say the same of a ticket', async () => {
    const planned = { next_step: 'close', next_due_at: secondsAgo(-60) };
    const wrong = [
      await rows.ticket({ status: 'resolved' }),
      await rows.ticket({ resolved_at: new Date() }),
      await rows.ticket({ waiting_since: new Date() }),
      await rows.ticket({ status: 'waiting_for_customer', next_step: 'resolve', next_due_at: secondsAgo(-60) }),
      await rows.ticket({ stage: 'queued', ...planned }),
      await rows.moved('ticket', await rows.ticket({ stage: 'resolved', status: 'resolved', ...planned }), 'resolved'),
      await rows.moved('ticket', await rows.ticket({ stage: 'closed', status: 'closed' }), 'closed'),
    ];
    expect(await found()).toEqual({ 'state-contradicts': wrong.map((id) => `ticket ${id}`).toSorted() });
  });

  it('plan what an open record waits for', async () => {
    const leads = [
      await rows.lead({ next_step: null, next_due_at: null }),
      await rows.lead({ next_step: null }),
      await rows.lead({ next_due_at: null }),
      await rows.lead({ stage: 'scored', assigned_user_id: null, next_step: null, next_due_at: null }),
    ];
    await rows.lead({ stage: 'scored', assigned_user_id: null, next_step: 'find_owner' });
    await rows.lead({ next_step: null, next_due_at: null, deleted_at: new Date() });
    const tickets = [
      await rows.ticket({ stage: 'queued', assigned_user_id: null }),
      await rows.ticket({ status: 'on_hold', waiting_since: new Date() }),
    ];
    await rows.ticket();
    expect(await found()).toEqual({
      unplanned: [...leads.map((id) => `lead ${id}`), ...tickets.map((id) => `ticket ${id}`)].toSorted(),
    });
  });
});

describe('a merge', () => {
  it('is on record while a lead is merged, and says into what', async () => {
    const survivor = await rows.lead();
    await rows.mergedLead(survivor);
    const unmerged = await rows.lead();
    await rows.merge('lead', unmerged, survivor, { undone_at: new Date() });
    expect(await found()).toEqual({});
    const [unrecorded, elsewhere, twice, undone] = [
      await rows.mergedLead(survivor),
      await rows.mergedLead(survivor),
      await rows.mergedLead(survivor),
      await rows.mergedLead(survivor),
    ];
    const nowhere = await rows.mergedLead(survivor, { merged_into_lead_id: null });
    const open = await rows.lead();
    await rows.remove('crm_merges', 'merged_id = $1', [unrecorded]);
    await rows.set('crm_leads', 'lead_id', elsewhere, { merged_into_lead_id: unmerged });
    await rows.merge('lead', twice, survivor);
    await rows.set('crm_merges', 'merged_id', undone, { undone_at: new Date() });
    await rows.merge('lead', open, survivor);
    expect(await found()).toEqual({
      'merge-unexplained': [unrecorded, elsewhere, twice, undone, nowhere, open].map((id) => `lead ${id}`).toSorted(),
    });
  });

  it('is into a lead that has a row, deleted or not', async () => {
    await rows.mergedLead(await rows.lead({ deleted_at: new Date() }));
    const lost = await rows.mergedLead(uuidv7());
    expect(await found()).toEqual({ 'survivor-missing': [`lead ${lost}`] });
  });

  it('of a ticket is no other', async () => {
    const final = { stage: 'merged', status: 'merged', closed_at: new Date() };
    const merged = async (into: string) => {
      const id = await rows.ticket({ ...final, merged_into_ticket_id: into });
      await rows.merge('ticket', id, into);
      return rows.moved('ticket', id, 'merged');
    };
    const survivor = await rows.ticket();
    await merged(survivor);
    expect(await found()).toEqual({});
    const [unrecorded, lost] = [await merged(survivor), await merged(uuidv7())];
    await rows.remove('crm_merges', 'merged_id = $1', [unrecorded]);
    expect(await found()).toEqual({
      'merge-unexplained': [`ticket ${unrecorded}`],
      'survivor-missing': [`ticket ${lost}`],
    });
  });
});
