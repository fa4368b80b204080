import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import pino from 'pino';
import { v7 as uuidv7 } from 'uuid';
import { queueTrouble, troubleAmong } from '../../api/task-queue.ts';
import { type Database, openDatabase } from '../../db/database.ts';
import { startWorker, type RunningWorker } from '../../workers/worker.ts';
import { leadProcess } from '../../workflows/leads/messages.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';
import { makeLead, makeOrganization, makePerson, makeUser, suffix } from '../support/factories.ts';
import { addressOf } from '../support/servers.ts';
import { eventually, sharedTemporal } from '../support/temporal.ts';

let owner: TestDatabase;
let database: Database;
let environment: TestWorkflowEnvironment;
let address: string;
const running: RunningWorker[] = [];

/** A deployment with task queues of its own. */
interface Deployment {
  deploymentName: string;
  taskQueues: { processes: string; bulk: string };
}

beforeAll(async () => {
  [owner, environment, address] = await Promise.all([testDatabase(), sharedTemporal(), addressOf('temporal')]);
  database = await openDatabase({ url: owner.url, role: 'crm_app' });
});
afterAll(async () => {
  await Promise.all(running.map((worker) => worker.stop()));
  await database?.close();
  await environment?.teardown();
  await owner?.close();
});

function newDeployment(): Deployment {
  return {
    deploymentName: `crm-${suffix()}`,
    taskQueues: { processes: `test-${uuidv7()}`, bulk: `test-${uuidv7()}` },
  };
}

async function start({ deploymentName, taskQueues }: Deployment, buildId: string | null): Promise<RunningWorker> {
  const settings = {
    databaseUrl: owner.url,
    smtpUrl: undefined,
    mailFrom: 'crm@example.org',
    supportAddress: 'support@{organization}.example',
    connectionOptions: { address },
    namespace: 'default',
    deploymentVersion: buildId === null ? undefined : { deploymentName, buildId },
    taskQueues,
  };
  const worker = await startWorker(settings, pino({ level: 'silent' }), new AbortController().signal);
  running.push(worker);
  return worker;
}

const troubleOf = ({ taskQueues }: Deployment) => queueTrouble(environment.connection, 'default', taskQueues.processes);

/** As `temporal worker deployment set-current-version` does, as soon as the deployment is known. */
async function makeCurrent({ deploymentName }: Deployment, buildId: string): Promise<void> {
  const setCurrent = () =>
    environment.client.workflowService.setWorkerDeploymentCurrentVersion({
      namespace: 'default',
      deploymentName,
      buildId,
      identity: 'test',
    });
  await eventually(`version ${buildId} is current`, () =>
    setCurrent().then(
      () => true,
      () => false,
    ),
  );
}

describe('workers with a deployment version', () => {
  it('take over what ran without one, and hand on what runs to the version that is made current next', async () => {
    const deployment = newDeployment();
    const org = await makeOrganization(database);
    const user = await makeUser(org);
    const lead = await makeLead(org, await makePerson(org), { assignedUserId: user.id, stage: 'assigned' });
    const unversioned = await start(deployment, null);
    const handle = await environment.client.workflow.start(leadProcess.workflowType, {
      workflowId: leadProcess.workflowId(lead.id),
      taskQueue: deployment.taskQueues.processes,
      args: [{ organizationId: org.id, leadId: lead.id }],
    });
    const ranOn = async () =>
      ((await handle.fetchHistory()).events ?? []).flatMap(({ workflowTaskCompletedEventAttributes: completed }) =>
        completed ? [completed.deploymentVersion?.buildId ?? 'none'] : [],
      );
    await eventually('it runs', async () => (await ranOn()).length > 0);
    await unversioned.stop();

    await start(deployment, '1.0');
    await handle.signal('configurationChanged');
    await makeCurrent(deployment, '1.0');
    await eventually('the first version has it', async () => (await ranOn()).includes('1.0'));
    await start(deployment, '2.0');
    const onFirst = (await ranOn()).length;
    await handle.signal('configurationChanged');
    await eventually('it has run again', async () => (await ranOn()).length > onFirst);
    expect((await ranOn()).slice(onFirst)).not.toContain('2.0');

    await makeCurrent(deployment, '2.0');
    await eventually('the second version has it', async () => {
      await handle.signal('configurationChanged');
      return (await ranOn()).at(-1) === '2.0';
    });
    expect(new Set(await ranOn())).toEqual(new Set(['none', '1.0', '2.0']));
    await handle.terminate();
  });

  it('run nothing until theirs is current, which is said plainly, with the command', async () => {
    const deployment = newDeployment();
    const { deploymentName } = deployment;
    const setCurrent = `\`temporal worker deployment set-current-version --deployment-name ${deploymentName} --build-id 1.0\``;
    await start(deployment, '1.0');
    await eventually('it polls', async () => (await troubleOf(deployment))?.reason.includes('1.0') === true);
    expect(await troubleOf(deployment)).toEqual({
      reason: expect.stringContaining(`is polled by version 1.0 of ${deploymentName}, but current is no version`),
      mend: setCurrent,
    });
    await makeCurrent(deployment, '1.0');
    await eventually('nothing is wrong', async () => (await troubleOf(deployment)) === null);
  });
});

describe('a task queue', () => {
  const first = { deploymentName: 'crm', buildId: '1.0' };
  const second = { deploymentName: 'crm', buildId: '2.0' };

  it.each([
    ['nobody', [], null, 'no worker polls'],
    ['an old version beside none of the current', [first], second, 'by version 1.0 of crm, but current is version 2.0'],
    ['no version where one is current', [null], first, 'by no version, but current is version 1.0'],
    [
      'versions of which none is current',
      [first, second, first],
      null,
      'by version 1.0 of crm, version 2.0 of crm, but',
    ],
  ])('is not served by %s', (_what, polling, current, reason) => {
    const trouble = troubleAmong('crm', polling, current);
    expect(trouble?.reason).toContain(reason);
    expect(trouble?.mend).not.toBe('');
  });

  it('is served by the current version beside others, and by workers without a version where none is current', () => {
    expect(troubleAmong('crm', [first, second], second)).toBeNull();
    expect(troubleAmong('crm', [null, first], null)).toBeNull();
  });
});
