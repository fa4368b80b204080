import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { parseEnv } from '../../runtime/env.ts';
import { createInstallation } from '../../runtime/installation.ts';
import { anyFreePort } from '../../runtime/ports.ts';
import { removePostgresHome } from '../../runtime/postgres-home.ts';
import { isAlive } from '../../runtime/processes.ts';
import { readRunState } from '../../runtime/run-state.ts';
import { eventually } from '../support/temporal.ts';

let dataDir: string;

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'crm-installation-'));
});
afterEach(() => {
  removePostgresHome(join(dataDir, 'postgres'));
  rmSync(dataDir, { recursive: true });
});

/** An installation that brings PostgreSQL alone. */
async function installation(variables: Record<string, string> = {}, { fresh = false } = {}) {
  const elsewhere = { TEMPORAL_ADDRESS: '127.0.0.1:1', SMTP_URL: 'smtp://127.0.0.1:1' };
  const ports = String(await anyFreePort());
  const env = parseEnv({ ...elsewhere, DATA_DIR: dataDir, EMBEDDED_PORTS_FROM: ports, PORT: ports, ...variables });
  return createInstallation(env, { fresh, empty: true, tell: () => undefined });
}

const postgres = () => readRunState(dataDir)?.processes.find(({ name }) => name === 'postgres')?.pid;

describe('an installation', () => {
  it('leaves nothing behind when it is stopped with its disk full', async () => {
    const { start, stop } = await installation();
    const ended = start().catch(() => undefined);
    await eventually('PostgreSQL runs', () => postgres() !== undefined, { seconds: 60 });
    const pid = postgres() ?? 0;
    // In the place of the draft of run.json, which can then not be written.
    mkdirSync(join(dataDir, 'run.json.draft'));
    await stop();
    await ended;
    expect(isAlive(pid)).toBe(false);
  }, 120_000);

  it('does not forget one half of its state alone', async () => {
    const { start } = await installation({}, { fresh: true });
    await expect(start()).rejects.toThrow('--fresh');
    expect(readRunState(dataDir)).toBeUndefined();
  });
});
