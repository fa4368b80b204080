import { InvalidArgumentError } from 'commander';
import type { Command } from 'commander';
import { loadEnv } from '../runtime/env.ts';
import { createClient } from './capture/client.ts';
import { type Destination, findDestination } from './capture/destination.ts';
import { type Mapping, mappingByName, readMapping, refuseUnknownColumns, unusedColumns } from './capture/mapping.ts';
import { showProgress } from './capture/progress.ts';
import { describeReport, type Report, reportOf } from './capture/report.ts';
import { CallerRefused, runCapture } from './capture/run.ts';
import { openSource, type Source } from './capture/source.ts';
import { Tally } from './capture/tally.ts';
import { CommandFailed, print, printJson, tell } from './output.ts';

interface CaptureOptions {
  map?: string;
  rate?: number;
  org: string;
  url?: string;
  token?: string;
  concurrency?: number;
  json?: boolean;
}

// Long enough to outlast a restart of every server in turn.
const patienceMilliseconds = 600_000;
const decisionWithinMilliseconds = 300_000;

const requestsAtOnce = 16;
const requestsAtOnceInOpenLoop = 256;

const help = `
Rows are counted from 1 below the header. Without --map, columns that are named as fields of a lead (fullName, first_name,
EMAIL, utm_source, …) fill them, and the others are left out. A mapping file says it otherwise, in YAML:

  fields:
    lastName: surname                                 # a column
    email: { column: mail, case: lower }
    fullName: { join: [given_name, surname] }         # separator: one space unless given
    phone: { template: "+61 2 9{customer_no}" }       # left out when a column in it is empty
    country: { constant: AU }
    urgency: { column: prio, values: { "1": high, "2": medium }, default: low }
    utm.source: campaign
    externalRefs.shop: customer_no

Texts are trimmed, and what is empty is left out.

Each row is one write under a key made of its number and its content, kept by the API for 24 hours: run the same command
again after an interruption, and rows that were answered get the same answer again. Servers that are away are waited for
(up to ten minutes a row); rows that the API has stored without deciding on them in time are asked after for up to five.

Exit code: 0 when every row is accounted for as accepted, merged or refused (refused rows and why are listed; they are
an answer, not a failure), 1 when some are pending, unanswered or not sent.`;

/** `crm capture`: sends a file of leads through the API, row by row, and accounts for each. */
export function registerCapture(program: Command): void {
  program
    .command('capture')
    .description('send a file of leads (.csv or .ndjson) through the API, and account for every row')
    .argument('<file>', 'CSV with a header (any delimiter), or NDJSON; UTF-8, UTF-16 or Latin-1')
    .option('--map <file>', 'which column fills which field (YAML, see below)')
    .option('--rate <rows>', 'so many rows a second, however long the answers take', positive)
    .option('--org <slug>', 'the organisation that the leads are for', 'acme')
    .option('--url <url>', 'the API (otherwise that of the running installation)')
    .option('--token <token>', 'who sends (otherwise a manager of the organisation, or its administrator)')
    .option('--concurrency <requests>', 'most requests at once', wholePositive)
    .option('--json', 'as JSON')
    .addHelpText('after', help)
    .action(capture);
}

async function capture(file: string, options: CaptureOptions): Promise<void> {
  const source = await openSource(file);
  const mapping = mappingFor(source, options.map);
  const { url, token } = await findDestination(loadEnv(), options);
  const stop = stopOnCtrlC();
  const tally = new Tally();
  const onRetry = (reason: string) => {
    tally.retries++;
    tally.lastRetry = reason;
  };
  const client = createClient({ url, token, patienceMilliseconds, stop: stop.signal, onRetry });
  const { rate, concurrency = rate === undefined ? requestsAtOnce : requestsAtOnceInOpenLoop } = options;
  const started = performance.now();
  const endProgress = showProgress(tally, source.text.textBytes);
  const run = {
    rows: source.rows(),
    mapping,
    client,
    tally,
    concurrency,
    rate,
    decisionWithinMilliseconds,
    stop: stop.signal,
  };
  const refusal = await runCapture(run).then(
    () => null,
    (error: unknown) => {
      if (error instanceof CallerRefused) return error;
      throw error;
    },
  );
  endProgress();
  const elapsedMilliseconds = performance.now() - started;
  const names = await namesOf({ url, token }, tally.assigned.keys());
  const stopped = stop.signal.aborted || refusal !== null;
  answer(reportOf(tally, { file, encoding: source.text.encoding, names, elapsedMilliseconds, stopped }), options.json);
  if (refusal)
    throw new CommandFailed(
      `The API at ${url} refuses this caller, so no more rows were sent. It says ${refusal.message}`,
    );
}

function answer(report: Report, json = false): void {
  if (json) printJson(report);
  else print(describeReport(report));
  if (!report.complete) process.exitCode = 1;
}

function mappingFor({ columns, isHeader }: Source, file: string | undefined): Mapping {
  const mapping = file === undefined ? mappingByName(columns) : readMapping(file);
  if (file !== undefined && isHeader) refuseUnknownColumns(mapping, columns);
  const unused = unusedColumns(mapping, columns);
  if (unused.length > 0) tell(`Columns that fill no field and are left out: ${unused.join(', ')}`);
  return mapping;
}

/** Names of the people who were given leads; whoever cannot be read keeps their identifier. Also asked when stopped. */
async function namesOf(destination: Destination, userIds: Iterable<string>): Promise<Map<string, string>> {
  const client = createClient({
    ...destination,
    patienceMilliseconds: 5_000,
    stop: new AbortController().signal,
    onRetry: () => undefined,
  });
  const names = new Map<string, string>();
  for (const id of userIds) {
    const reply = await client.get(`/crm/v1/users/${id}`);
    const name = reply.kind === 'answered' && reply.status === 200 ? reply.body['fullName'] : undefined;
    if (typeof name === 'string') names.set(id, name);
  }
  return names;
}

/** The first Ctrl-C lets what is on its way end; a later one ends at once. */
function stopOnCtrlC(): AbortController {
  const stop = new AbortController();
  let first = 0;
  const onSignal = () => {
    // The terminal and the launcher of this command both send it: two at once are one.
    if (stop.signal.aborted && performance.now() - first > 1_000) process.exit(130);
    first ||= performance.now();
    stop.abort();
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, onSignal);
  return stop;
}

function positive(text: string): number {
  const number = Number(text);
  if (number > 0 && number <= 100_000) return number;
  throw new InvalidArgumentError('It must be a number above 0.');
}

function wholePositive(text: string): number {
  const number = Number(text);
  if (Number.isInteger(number) && number > 0 && number <= 10_000) return number;
  throw new InvalidArgumentError('It must be a whole number from 1 to 10000.');
}
