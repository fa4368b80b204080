import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { temporalOf } from '../../cli/temporal.ts';
import { checkoutRoot, parseEnv } from '../../runtime/env.ts';
import { identityOf } from '../../runtime/processes.ts';
import { noAddresses, writeRunState } from '../../runtime/run-state.ts';

const dataDir = mkdtempSync(join(tmpdir(), 'crm-temporal-of-'));
afterAll(() => rmSync(dataDir, { recursive: true }));

const placeOf = (variables: Record<string, string>) => {
  const place = temporalOf(parseEnv({ DATA_DIR: dataDir, ...variables }));
  return place && [place.connectionOptions.address, place.namespace];
};

describe('the Temporal that a command asks', () => {
  it('is none when nothing runs and no variable names one', () => {
    expect(placeOf({})).toBeUndefined();
  });

  it("is the running installation's, in the namespace that it was started with", () => {
    writeRunState(dataDir, {
      ...noAddresses,
      checkout: checkoutRoot,
      phase: 'ready',
      supervisor: identityOf(process.pid),
      processes: [],
      temporalAddress: '127.0.0.1:7240',
      temporalNamespace: 'sales',
    });
    expect(placeOf({})).toEqual(['127.0.0.1:7240', 'sales']);
  });

  it("is the environment's before that", () => {
    expect(placeOf({ TEMPORAL_ADDRESS: 'temporal:7233' })).toEqual(['temporal:7233', 'default']);
  });
});
