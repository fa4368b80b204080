import { describe, expect, it } from '@jest/globals';
import { Connection } from '@temporalio/client';
import { createReadiness, temporalCheck, workerCheck } from '../../api/readiness.ts';
import { suffix } from '../support/factories.ts';
import { eventually, sharedTemporal, testWorker } from '../support/temporal.ts';

describe('readiness', () => {
  it('is when every part is, and says which is not', async () => {
    const good = createReadiness({ database: () => Promise.resolve(), temporal: () => Promise.resolve() });
    expect(await good()).toEqual({ ready: true, parts: { database: { ready: true }, temporal: { ready: true } } });
    const bad = createReadiness({
      database: () => Promise.reject(new Error('refused')),
      temporal: () => Promise.resolve(),
      worker: () => new Promise(() => undefined),
    });
    expect(await bad()).toEqual({
      ready: false,
      parts: {
        database: { ready: false, detail: 'refused' },
        temporal: { ready: true },
        worker: { ready: false, detail: 'no answer within 2000 ms' },
      },
    });
  });

  it('asks at most once a second', async () => {
    let asked = 0;
    const readiness = createReadiness({ part: () => Promise.resolve(asked++) });
    await Promise.all([readiness(), readiness(), readiness()]);
    expect(asked).toBe(1);
    await eventually('a second has passed', async () => (await readiness()) && asked === 2);
  });

  it('knows a namespace that is there, and a queue that a worker polls', async () => {
    const temporal = await sharedTemporal();
    const connection = await Connection.connect({ address: temporal.address });
    const taskQueue = `readiness-${suffix()}`;
    const polled = workerCheck(connection, 'default', taskQueue);
    await expect(temporalCheck(connection, 'default')()).resolves.toBeDefined();
    await expect(temporalCheck(connection, 'nowhere')()).rejects.toThrow();
    await expect(polled()).rejects.toThrow(`no worker polls the task queue ${taskQueue}`);
    const worker = await testWorker(temporal, {}, { taskQueue });
    await eventually('the worker polls', () =>
      polled().then(
        () => true,
        () => false,
      ),
    );
    await worker.close();
    await connection.close();
    await temporal.teardown();
  });
});
