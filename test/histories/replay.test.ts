import { afterAll, describe, expect, it } from '@jest/globals';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DeterminismViolationError } from '@temporalio/workflow';
import { recordedHistories, replayFailures } from '../support/histories.ts';
import { addressOf } from '../support/servers.ts';
import '../support/temporal.ts'; // keeps the replayer's log quiet

const folder = mkdtempSync(join(tmpdir(), 'crm-replay-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('recorded histories', () => {
  it('are of every end that an intake has', () => {
    expect(recordedHistories().map(({ name }) => name)).toEqual(
      expect.arrayContaining(['lead-merged', 'lead-qualified', 'lead-reassigned']),
    );
  });

  it('are of every way that a ticket can go', () => {
    expect(recordedHistories().flatMap(({ name }) => (name.startsWith('ticket-') ? name.slice(7) : []))).toEqual([
      'breached',
      'escalated',
      'merged',
      'paused',
      'reopened',
      'rolled-on',
      'rolled-over',
      'silent',
    ]);
  });

  it('are replayed by the workflows of today', async () => {
    expect(await replayFailures(recordedHistories())).toEqual([]);
  });

  it('break when a workflow is changed so that it would run otherwise', async () => {
    const today = readFileSync(await addressOf('bundle'), 'utf8');
    // The loop of all processes looks again before it begins, which none of them did when it was recorded.
    const edited = today.replace('await life.decision', '(await life.lookAgain(), await life.decision)');
    expect(edited === today).toBe(false);
    const codePath = join(folder, 'workflows.js');
    writeFileSync(codePath, edited);

    const processes = recordedHistories().filter(({ name }) => /^(lead|ticket)-/.test(name));
    const failures = await replayFailures(processes, codePath);
    expect(failures.map(({ name }) => name)).toEqual(processes.map(({ name }) => name));
    for (const { error } of failures) expect(error).toBeInstanceOf(DeterminismViolationError);
  });
});
