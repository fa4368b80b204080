import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { checkoutRoot } from '../../runtime/env.ts';
import { exitOf } from '../../runtime/processes.ts';

const program = (drain: string, limit = 5_000) => `
  import { onShutdown } from '${join(checkoutRoot, 'runtime', 'lifecycle.ts')}';
  onShutdown(async () => { process.stdout.write('drains '); ${drain} }, ${limit});
  setInterval(() => undefined, 1_000);
  process.stdout.write('up ');
`;

/** A real process that has called onShutdown, with its output so far. */
async function launch(source: string): Promise<{ child: ChildProcess; output: () => string }> {
  const child = spawn(process.execPath, ['--input-type=module', '--eval', source], {
    stdio: ['ignore', 'pipe', 'ignore', 'ipc'],
    env: { ...process.env, NODE_OPTIONS: '' },
  });
  let output = '';
  const { stdout } = child;
  if (!stdout) throw new Error('no output');
  stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  await once(stdout, 'data');
  return { child, output: () => output };
}

describe('stopping a process', () => {
  it.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)('drains once on %s, however often it comes', async (signal) => {
    const { child, output } = await launch(program('await new Promise((settle) => setTimeout(settle, 200));'));
    child.kill(signal);
    child.kill(signal);
    expect(await exitOf(child)).toEqual({ code: 0, signal: null });
    expect(output()).toBe('up drains ');
  });

  it('drains when its parent is gone', async () => {
    const { child, output } = await launch(program(''));
    child.disconnect();
    expect(await exitOf(child)).toEqual({ code: 0, signal: null });
    expect(output()).toBe('up drains ');
  });

  it('ends with 1 when draining fails', async () => {
    const { child } = await launch(program(`throw new Error('no');`));
    child.kill('SIGTERM');
    expect(await exitOf(child)).toEqual({ code: 1, signal: null });
  });

  it('ends with 1 when draining takes too long', async () => {
    const { child } = await launch(program('await new Promise(() => undefined);', 100));
    child.kill('SIGTERM');
    expect(await exitOf(child)).toEqual({ code: 1, signal: null });
  });
});
