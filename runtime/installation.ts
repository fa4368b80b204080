import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { migrateUp } from '../db/migrator.ts';
import { loadDemo } from './demo.ts';
import { defaultPorts } from './default-ports.ts';
import { checkoutRoot, InvalidEnvironment } from './env.ts';
import type { Env, Variables } from './env.ts';
import { loadOrCreateSigningKey } from './keys.ts';
import { startMailCatcher } from './mail-catcher.ts';
import type { MailCatcher } from './mail-catcher.ts';
import { startNodeChild } from './node-child.ts';
import { portChooser, urlOf } from './ports.ts';
import { startPostgres } from './postgres.ts';
import { removePostgresHome } from './postgres-home.ts';
import { makeRoom } from './predecessor.ts';
import { identityOf } from './processes.ts';
import { waitUntilReady } from './readiness.ts';
import { noAddresses, removeRunState, writeRunState } from './run-state.ts';
import type { RunState } from './run-state.ts';
import { createSupervisor } from './supervisor.ts';
import { startSupportMailbox } from './support-mailbox.ts';
import type { SupportMailbox } from './support-mailbox.ts';
import { findTemporalCli, obtainTemporalCli } from './temporal-cli.ts';
import { startTemporal } from './temporal-server.ts';

/** How an installation begins: with an empty data directory, without the demo organisations. */
export type StartOptions = { fresh: boolean; empty: boolean; tell: (line: string) => void };

/** Everything that `npm start` runs. */
export type Installation = {
  /** Starts the parts in order and resolves with their addresses when the API is ready. */
  start: () => Promise<RunState>;
  /** Stops API, worker, Temporal and PostgreSQL, in this order, each drained; also in the middle of a start. */
  stop: () => Promise<void>;
  isStopping: () => boolean;
};

/**
 * Composes PostgreSQL, Temporal, worker, API and mail catcher on this machine, with their state in `env.DATA_DIR`.
 * `DATABASE_URL`, `TEMPORAL_ADDRESS` and `SMTP_URL` each replace the embedded part.
 */
export function createInstallation(env: Env, { fresh, empty, tell }: StartOptions): Installation {
  const dataDir = env.DATA_DIR;
  const inData = (...names: string[]) => join(dataDir, ...names);
  const logOf = (name: string) => inData('logs', `${name}.log`);
  const choosePort = portChooser(tell);
  const usualPort = (part: keyof typeof defaultPorts) => env.EMBEDDED_PORTS_FROM ?? defaultPorts[part];
  const state: RunState = {
    checkout: checkoutRoot,
    phase: 'starting',
    supervisor: identityOf(process.pid),
    processes: [],
    ...noAddresses,
  };
  const supervisor = createSupervisor({ tell, onChange: () => save() });
  let isOurs = false;
  let release = () => {};
  let mailCatcher: MailCatcher | undefined;
  let supportMailbox: SupportMailbox | undefined;
  const mailSecret = env.MAIL_WEBHOOK_SECRET ?? randomBytes(32).toString('hex');

  function save(change: Partial<RunState> = {}): void {
    // The number of a dead child may be somebody else's by now: its identity is the one it was started with.
    const known = (pid: number) => state.processes.find((each) => each.pid === pid) ?? identityOf(pid);
    const processes = supervisor.processes().map(({ name, pid }) => ({ ...known(pid), name }));
    Object.assign(state, change, { processes });
    if (isOurs) writeRunState(dataDir, state);
  }

  /** Rows without their processes, or processes without their rows, are what no start may leave. */
  function refuseHalf(): void {
    if (!fresh || (env.DATABASE_URL === undefined) === (env.TEMPORAL_ADDRESS === undefined)) return;
    const [kept, removed] = env.DATABASE_URL
      ? ['the database at DATABASE_URL', "Temporal's processes"]
      : ['the processes at TEMPORAL_ADDRESS', 'the database'];
    throw new InvalidEnvironment(
      `--fresh would remove ${removed} here and leave ${kept}, which belongs to it. Empty both by hand, or unset the variable.`,
    );
  }

  async function startDatabase(): Promise<string> {
    const url = env.DATABASE_URL ?? (await startEmbeddedPostgres());
    save({ databaseUrl: url });
    await migrateUp(url, { log: (line) => tell(`database: ${line}`) });
    if (!empty) await loadDemo(url, { log: (line) => tell(`demo: ${line}`) });
    return url;
  }

  async function startEmbeddedPostgres(): Promise<string> {
    tell('starting PostgreSQL');
    const port = await choosePort('PostgreSQL', usualPort('postgres'));
    const { url } = await supervisor.add('postgres', () =>
      startPostgres({ dataDir: inData('postgres'), port, logFile: logOf('postgres') }),
    );
    return url;
  }

  async function startTemporalService(): Promise<string> {
    const namespace = env.TEMPORAL_NAMESPACE;
    if (env.TEMPORAL_ADDRESS) {
      save({
        temporalAddress: env.TEMPORAL_ADDRESS,
        temporalNamespace: namespace,
        temporalCli: findTemporalCli() ?? null,
      });
      return env.TEMPORAL_ADDRESS;
    }
    const cli = await obtainTemporalCli(tell);
    tell('starting Temporal');
    const port = await choosePort('Temporal', usualPort('temporal'));
    const uiPort = await choosePort('Temporal UI', usualPort('temporalUi'));
    const { address } = await supervisor.add('temporal', () =>
      startTemporal({ cli, dataDir: inData('temporal'), port, uiPort, namespace, logFile: logOf('temporal') }),
    );
    save({
      temporalAddress: address,
      temporalNamespace: namespace,
      temporalCli: cli,
      temporalUi: `http://127.0.0.1:${uiPort}`,
    });
    return address;
  }

  async function startMail(): Promise<string> {
    if (env.SMTP_URL) {
      save({ mail: withoutCredentials(env.SMTP_URL) });
      return env.SMTP_URL;
    }
    const smtpPort = await choosePort('mail catcher (SMTP)', usualPort('smtp'));
    const port = await choosePort('mail catcher', usualPort('mail'));
    mailCatcher = await startMailCatcher({ folder: inData('mail'), smtpPort, port });
    save({ mail: mailCatcher.url });
    return mailCatcher.smtpUrl;
  }

  async function startApplication(connections: Variables): Promise<void> {
    const port = await choosePort('API', env.PORT, env.HOST);
    const metricsPort = await choosePort('worker metrics', env.METRICS_PORT ?? usualPort('workerMetrics'));
    const common = { ...connections, DATA_DIR: dataDir, HOST: env.HOST };
    await supervisor.add('worker', () =>
      startNodeChild({
        script: 'workers/main.ts',
        logFile: logOf('worker'),
        variables: { ...common, METRICS_PORT: String(metricsPort) },
      }),
    );
    await supervisor.add('api', () =>
      startNodeChild({
        script: 'api/main.ts',
        logFile: logOf('api'),
        variables: { ...common, PORT: String(port), MAIL_WEBHOOK_SECRET: mailSecret },
      }),
    );
    const api = urlOf(env.HOST, port);
    save({ api, apiReference: `${api}/docs` });
    tell('starting worker and API');
    await waitUntilReady(api, [logOf('api'), logOf('worker')]);
    await startMailbox(api);
  }

  async function startMailbox(api: string): Promise<void> {
    const port = await choosePort('support mailbox', usualPort('supportMailbox'));
    supportMailbox = await startSupportMailbox({ port, api, secret: mailSecret });
    save({ supportMailbox: supportMailbox.smtpUrl });
  }

  return {
    async start() {
      refuseHalf();
      release = await makeRoom(dataDir, tell);
      isOurs = true;
      if (fresh) clear(dataDir);
      await loadOrCreateSigningKey(dataDir);
      save();
      const [databaseUrl, temporalAddress, smtpUrl] = await Promise.all([
        startDatabase(),
        startTemporalService(),
        startMail(),
      ]);
      await startApplication({
        DATABASE_URL: databaseUrl,
        TEMPORAL_ADDRESS: temporalAddress,
        TEMPORAL_NAMESPACE: env.TEMPORAL_NAMESPACE,
        SMTP_URL: smtpUrl,
      });
      save({ phase: 'ready' });
      return state;
    },
    async stop() {
      try {
        save({ phase: 'stopping' });
      } catch (error) {
        // A full disk must not keep the parts running.
        tell(error instanceof Error ? error.message : String(error));
      }
      await supportMailbox?.stop();
      await supervisor.stop();
      await mailCatcher?.stop();
      if (isOurs) removeRunState(dataDir);
      release();
    },
    isStopping: () => state.phase === 'stopping',
  };
}

/** Removes what the parts have stored; folders of test runs in the same place stay. */
function clear(dataDir: string): void {
  removePostgresHome(join(dataDir, 'postgres'));
  for (const name of ['temporal', 'mail', 'keys', 'logs'])
    rmSync(join(dataDir, name), { recursive: true, force: true });
}

function withoutCredentials(url: string): string {
  const shown = new URL(url);
  shown.username = '';
  shown.password = '';
  return shown.href;
}
