import { createServer } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { anyFreePort, isPortFree, portChooser, urlOf } from '../../runtime/ports.ts';

const server = createServer();
let occupied: number;

beforeAll(async () => {
  occupied = await anyFreePort();
  await new Promise<void>((settle) => server.listen(occupied, '127.0.0.1', settle));
});
afterAll(() => new Promise((settle) => server.close(settle)));

describe('choosing ports', () => {
  it('knows an occupied one', async () => {
    expect(await isPortFree(occupied)).toBe(false);
  });

  it('takes a free one as it is, without a word', async () => {
    const free = await anyFreePort();
    const told: string[] = [];
    expect(await portChooser((line) => told.push(line))('API', free)).toBe(free);
    expect(told).toEqual([]);
  });

  it('takes the next free one instead of an occupied one, and says so', async () => {
    const told: string[] = [];
    const port = await portChooser((line) => told.push(line))('API', occupied);
    expect(port).toBeGreaterThan(occupied);
    expect(told).toEqual([`port ${occupied} is occupied: API uses ${port}`]);
  });

  it('says nothing of a port that this installation has taken itself', async () => {
    const free = await anyFreePort();
    const told: string[] = [];
    const choose = portChooser((line) => told.push(line));
    expect(await choose('PostgreSQL', free)).not.toBe(await choose('Temporal', free));
    expect(told).toEqual([]);
  });

  it.each([
    ['203.0.113.1', 'no address of this machine'],
    ['no-such-host.invalid', 'HOST'],
  ])('says what is wrong with the host %s, instead of trying a hundred ports', async (host, words) => {
    await expect(portChooser(() => undefined)('API', 3_000, host)).rejects.toThrow(words);
  });

  it('never gives one port to two parts that ask at once', async () => {
    const choose = portChooser(() => undefined);
    const ports = await Promise.all([choose('Temporal', occupied), choose('API', occupied), choose('mail', occupied)]);
    expect(new Set(ports).size).toBe(3);
  });
});

it.each([
  ['127.0.0.1', 'http://127.0.0.1:3000'],
  ['0.0.0.0', 'http://127.0.0.1:3000'],
  ['::', 'http://[::1]:3000'],
  ['::1', 'http://[::1]:3000'],
  ['crm.local', 'http://crm.local:3000'],
])('what listens on %s is reached at %s', (host, url) => {
  expect(urlOf(host, 3_000)).toBe(url);
  expect(URL.canParse(url)).toBe(true);
});
