import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { type Command, InvalidArgumentError } from 'commander';
import { checkoutRoot, loadEnv } from '../runtime/env.ts';
import { runningState } from '../runtime/run-state.ts';
import type { Role } from '../workflows/access/permissions.ts';
import { type ApiClient, createClient } from './capture/client.ts';
import { tokenFor } from './capture/destination.ts';
import { openDesk } from './demo-tickets/desk.ts';
import { castOf } from './demo-tickets/lives.ts';
import { describeOutcome, type Outcome, readOutcome } from './demo-tickets/outcome.ts';
import { playGroup } from './demo-tickets/play.ts';
import { CommandFailed, print, printJson, tell } from './output.ts';

interface DemoOptions {
  each: number;
  fast?: boolean;
  org: string;
  json?: boolean;
}

// Longer than any server takes to come back, so that killing one in the middle changes nothing.
const patienceMilliseconds = 120_000;
const staggerMilliseconds = 250;

/**
 * `crm demo-tickets`: plays a few dozen tickets on the running system through the API, in different lives at the same
 * time, and says what became of each clock; exit code 0 when all went as planned and the audit is clean, 1 when not.
 */
export function registerDemoTickets(program: Command): void {
  program
    .command('demo-tickets')
    .description('play tickets through different lives with targets of one to three minutes, and tell each clock')
    .option('--each <tickets>', 'so many tickets of each life', parseEach, 3)
    .option('--fast', 'only the lives that are over within two minutes')
    .option('--org <slug>', 'in this organisation', 'acme')
    .option('--json', 'as JSON')
    .action(play);
}

async function play({ each, fast = false, org, json }: DemoOptions): Promise<void> {
  const url = runningState(loadEnv().DATA_DIR)?.api;
  if (!url) throw new CommandFailed('Not running. Start it with `npm start`.', 3);
  const [admin, support] = await Promise.all([clientFor(url, 'admin', org), clientFor(url, 'support', org)]);
  const cast = castOf({ each, fast });
  const lives = cast.flat();
  const steps = lives.reduce((sum, { steps: own }) => sum + own.length, 0);
  const longest = Math.max(...lives.flatMap(({ steps: own }) => own.map(({ atSeconds }) => atSeconds)));
  tell(`${lives.length} tickets, ${steps} commands, about ${Math.ceil((longest + 15) / 60)} minutes.`);

  const desk = await openDesk(admin);
  // Left open, the rules and policies of the demonstration would stand before the organisation's own.
  const abandon = () => void desk.close().finally(() => process.exit(130));
  process.once('SIGINT', abandon);
  let taken = 0;
  const onStep = () => {
    taken += 1;
    if (taken % 25 === 0 || taken === steps) tell(`${taken} of ${steps} commands sent`);
  };
  let outcome: Outcome;
  try {
    const groups = await Promise.all(
      cast.map(async (group, place) => {
        await pause(place * staggerMilliseconds);
        return playGroup(group, place, { desk, support, onStep });
      }),
    );
    outcome = await readOutcome(support, groups.flat(), patienceMilliseconds);
  } finally {
    process.off('SIGINT', abandon);
    await desk.close();
  }
  const audit = await runAudit();
  const { clocks, missing } = outcome;
  const asPlanned = missing.length === 0 && clocks.every((clock) => clock.asPlanned);
  if (json) printJson({ asPlanned, ...outcome, audit });
  else print(`${describeOutcome(outcome)}\n\n${audit.output}`);
  if (!asPlanned || !audit.clean) process.exitCode = 1;
}

async function clientFor(url: string, role: Role, org: string): Promise<ApiClient> {
  const token = await tokenFor(role, org);
  const stop = new AbortController().signal;
  return createClient({ url, token, patienceMilliseconds, stop, onRetry: () => undefined });
}

/** `crm audit`, as anybody would run it. */
function runAudit(): Promise<{ clean: boolean; output: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [join(checkoutRoot, 'cli', 'main.ts'), 'audit'], (error, stdout, stderr) => {
      resolve({ clean: error === null, output: `${stdout}${stderr}`.trim() });
    });
  });
}

function parseEach(text: string): number {
  const number = Number(text);
  if (Number.isInteger(number) && number >= 1 && number <= 100) return number;
  throw new InvalidArgumentError('It must be a whole number from 1 to 100.');
}
