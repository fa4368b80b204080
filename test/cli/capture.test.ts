import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { eventually } from '../support/temporal.ts';
import { fileFolder } from './capture/files.ts';
import { UnreliableApi } from './capture/unreliable-api.ts';

const root = join(import.meta.dirname, '..', '..');
const file = fileFolder();
const opened: UnreliableApi[] = [];
const started: ChildProcess[] = [];

afterEach(async () => {
  for (const child of started.splice(0)) child.kill('SIGKILL');
  for (const api of opened.splice(0)) await api.close();
});

async function open(api: UnreliableApi): Promise<string> {
  opened.push(api);
  return api.open();
}

/** Runs `crm capture …` as its own process. */
function capture(...args: string[]) {
  const child = spawn(process.execPath, [join(root, 'cli', 'main.ts'), 'capture', ...args], {
    env: { PATH: process.env['PATH'] },
  });
  started.push(child);
  const said = { out: '', err: '' };
  child.stdout.on('data', (text: Buffer) => (said.out += text.toString()));
  child.stderr.on('data', (text: Buffer) => (said.err += text.toString()));
  const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, ...said }));
  return { child, ended };
}

const leads = (count: number) => Array.from({ length: count }, (_, row) => `Lead ${row},${row}@x.example`).join('\n');

describe('crm capture', () => {
  it('prints the closing table, names the assignees, and exits 0', async () => {
    const url = await open(new UnreliableApi(() => 'none'));
    const { code, out, err } = await capture(
      file('a.csv', `fullName,email,shoe size\n${leads(5)}\nNobody,none,\n`),
      '--url',
      url,
      '--token',
      't',
    ).ended;
    expect({ code, err }).toMatchObject({ code: 0, err: expect.stringContaining('are left out: shoe size') });
    expect(err).toMatch(/100 % +6 rows/);
    expect(out).toMatch(/rows +6 .*\naccepted +5 *\nmerged +0 .*\nrefused +1 +rows 6/);
    expect(out).toMatch(/Person a1 +3\nPerson a2 +2/);
  });

  it('goes on when nobody reads any more what it says', async () => {
    const url = await open(new UnreliableApi(() => 'none'));
    const rows = file('unread.csv', `fullName,email,shoe size\n${leads(5)}\n`);
    const { child, ended } = capture(rows, '--url', url, '--token', 't');
    child.stdout.destroy();
    child.stderr.destroy();
    expect((await ended).code).toBe(0);
  });

  it('gives the same as JSON', async () => {
    const url = await open(new UnreliableApi(() => 'none'));
    const { code, out } = await capture(
      file('b.ndjson', '{"full_name":"Ada","email":"ada@x.example"}\n'),
      '--url',
      url,
      '--token',
      't',
      '--json',
    ).ended;
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({
      rows: 1,
      accepted: 1,
      complete: true,
      assigned: [{ name: 'Person a1', leads: 1 }],
    });
  });

  it('stops cleanly at Ctrl-C, exits 1, and goes on the next time', async () => {
    const api = new UnreliableApi(() => 'slow');
    const url = await open(api);
    const path = file('c.csv', `fullName,email\n${leads(40)}\n`);
    const args = [path, '--url', url, '--token', 't', '--concurrency', '2', '--json'];
    const first = capture(...args);
    await eventually('some rows are written', () => api.leads.size >= 4, { seconds: 30 });
    // From the terminal and from the launcher.
    first.child.kill('SIGINT');
    first.child.kill('SIGINT');
    const stopped = await first.ended;
    expect(stopped.code).toBe(1);
    const report = JSON.parse(stopped.out) as { rows: number; accepted: number; stopped: boolean };
    expect(report).toMatchObject({ stopped: true, complete: false });
    expect(report.accepted).toBe(api.leads.size);
    const second = await capture(...args).ended;
    expect(second.code).toBe(0);
    expect(JSON.parse(second.out)).toMatchObject({ rows: 40, accepted: 40, replayed: report.accepted, complete: true });
    expect(api.leads.size).toBe(40);
  });

  it('says what is wrong with the file, the mapping or the caller, and exits 1', async () => {
    const api = new UnreliableApi(() => 'none');
    const url = await open(api);
    api.authorized = false;
    const path = file('d.csv', `name,mail\n${leads(5)}\n`);
    const to = ['--url', url, '--token', 't'];
    await expect(capture(path, ...to).ended).resolves.toMatchObject({
      code: 1,
      err: expect.stringContaining('No column is named as a field'),
    });
    const wrong = file('wrong.yaml', 'fields: { email: maul }');
    await expect(capture(path, '--map', wrong, ...to).ended).resolves.toMatchObject({
      code: 1,
      err: expect.stringContaining('the file has no column "maul"'),
    });
    const map = file('map.yaml', 'fields: { email: mail, fullName: name }');
    await expect(capture(path, '--map', map, ...to).ended).resolves.toMatchObject({
      code: 1,
      err: expect.stringContaining(
        'refuses this caller, so no more rows were sent. It says 401: The token has expired.',
      ),
    });
    await expect(capture(path, '--rate', 'fast', ...to).ended).resolves.toMatchObject({
      code: 1,
      err: expect.stringContaining('a number above 0'),
    });
  });
});
