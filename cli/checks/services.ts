import { connect } from 'node:net';
import { Connection } from '@temporalio/client';
import { queueTrouble } from '../../api/task-queue.ts';
import { migrationStatus } from '../../db/migrator.ts';
import type { Env } from '../../runtime/env.ts';
import { askReadiness } from '../../runtime/readiness.ts';
import { runningState } from '../../runtime/run-state.ts';
import { searchAttributes } from '../../workflows/processes/search-attributes.ts';
import { withDatabase } from '../database.ts';
import { temporalOf, type TemporalPlace } from '../temporal.ts';
import { ill, reasonOf, warning, well } from './finding.ts';
import type { Finding } from './finding.ts';

const taskQueues = ['crm', 'crm-bulk'];
const answerWithinMilliseconds = 5_000;
const tolerableSkewMilliseconds = 1_000;
const startIt = 'start it with `npm start`';

/** What the servers say: database, Temporal, worker, mail, API; those of the environment first, else of the running installation. */
export async function checkServices(env: Env): Promise<Finding[]> {
  const running = runningState(env.DATA_DIR);
  const databaseUrl = env.DATABASE_URL ?? running?.databaseUrl;
  const temporal = temporalOf(env);
  const findings = await Promise.all([
    databaseUrl ? checkDatabase(databaseUrl) : [warning('database', 'not running', startIt)],
    temporal ? checkTemporal(temporal) : [warning('Temporal', 'not running', startIt)],
    env.SMTP_URL
      ? checkMail(env.SMTP_URL)
      : running?.mail
        ? [well('mail', `caught, to be read at ${running.mail}`)]
        : [],
    running?.api ? checkApi(running.api) : [],
  ]);
  return findings.flat();
}

async function checkDatabase(url: string): Promise<Finding[]> {
  try {
    const before = Date.now();
    const { version, now } = await withDatabase(url, async (client) => {
      const { rows } = await client.query<{ version: string; now: Date }>(
        `select current_setting('server_version') as version, clock_timestamp() as now`,
      );
      return rows[0] ?? { version: '?', now: new Date(0) };
    });
    // Half of the round trip is the best guess at when the server read its clock.
    const skew = Math.abs(now.getTime() - (before + Date.now()) / 2);
    const { pending } = await migrationStatus(url);
    return [
      Number.parseInt(version, 10) >= 18
        ? well('database', `PostgreSQL ${version}`)
        : warning('database', `PostgreSQL ${version}`, 'use 18, which is what this is tested with'),
      pending.length === 0
        ? well('schema', 'every migration is applied')
        : ill('schema', `${pending.length} migrations are missing`, '`npx crm migrate up`'),
      skew <= tolerableSkewMilliseconds
        ? well('clocks', `database and this machine differ by ${Math.round(skew)} ms`)
        : warning(
            'clocks',
            `database and this machine differ by ${(skew / 1000).toFixed(1)} s`,
            'synchronise them (NTP): due times are compared across machines',
          ),
    ];
  } catch (error) {
    return [
      ill(
        'database',
        `not reached: ${reasonOf(error)}`,
        'check DATABASE_URL and whether the server runs; the roles and tables come from `npx crm migrate up`',
      ),
    ];
  }
}

async function checkTemporal({ namespace, connectionOptions }: TemporalPlace): Promise<Finding[]> {
  const { address } = connectionOptions;
  let opened: Connection | undefined;
  try {
    const connection = await Connection.connect({ ...connectionOptions, connectTimeout: answerWithinMilliseconds });
    opened = connection;
    const { workflowService, operatorService } = connection;
    return await connection.withDeadline(Date.now() + answerWithinMilliseconds, async () => {
      await workflowService.describeNamespace({ namespace });
      const { customAttributes } = await operatorService.listSearchAttributes({ namespace });
      const missing = Object.values(searchAttributes)
        .map(({ name }) => name)
        .filter((name) => !(name in customAttributes));
      const troubles = await Promise.all(taskQueues.map((name) => queueTrouble(connection, namespace, name)));
      const unserved = troubles.filter((trouble) => trouble !== null);
      return [
        well('Temporal', `${address}, namespace ${namespace}`),
        missing.length === 0
          ? well('search attributes', 'all there')
          : ill(
              'search attributes',
              `missing: ${missing.join(', ')}`,
              'a worker registers them when it starts: `npm run worker`',
            ),
        ...(unserved.length === 0
          ? [well('worker', `polls ${taskQueues.join(' and ')}`)]
          : unserved.map(({ reason, mend }) => ill('worker', reason, mend))),
      ];
    });
  } catch (error) {
    return [
      ill(
        'Temporal',
        `${address}, namespace ${namespace}: ${reasonOf(error)}`,
        'check TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE and the TLS variables, and whether the service runs',
      ),
    ];
  } finally {
    await opened?.close();
  }
}

function checkMail(url: string): Promise<Finding[]> {
  const { hostname, port, protocol } = new URL(url);
  const place = { host: hostname, port: Number(port || (protocol === 'smtps:' ? 465 : 587)) };
  return new Promise((settle) => {
    const socket = connect({ ...place, timeout: answerWithinMilliseconds });
    const end = (finding: Finding) => {
      socket.destroy();
      settle([finding]);
    };
    const trouble = (reason: string) =>
      end(
        ill(
          'mail',
          `${place.host}:${place.port}: ${reason}`,
          'check SMTP_URL; notifications wait in the outbox until it works',
        ),
      );
    socket.once('connect', () => end(well('mail', `${place.host}:${place.port} answers`)));
    socket.once('timeout', () => trouble('no answer'));
    socket.once('error', (error) => trouble(reasonOf(error)));
  });
}

async function checkApi(url: string): Promise<Finding[]> {
  const { ready, detail } = await askReadiness(url);
  return [
    ready
      ? well('API', `ready at ${url}`)
      : ill('API', `not ready: ${detail}`, 'mend what is ill above; its log is .data/logs/api.log'),
  ];
}
