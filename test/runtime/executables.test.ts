import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { downloadFromTemporal, runTool } from '../../runtime/executables.ts';
import { anyFreePort } from '../../runtime/ports.ts';

const folder = mkdtempSync(join(tmpdir(), 'crm-executables-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe('an executable of Temporal', () => {
  it('is downloaded through the proxy of the environment', async () => {
    const asked: (string | undefined)[] = [];
    const proxy = createServer();
    proxy.on('connect', ({ url }, socket) => {
      asked.push(url);
      socket.end('HTTP/1.1 403 Forbidden\r\n\r\n');
    });
    proxy.listen(await anyFreePort(), '127.0.0.1');
    await once(proxy, 'listening');
    const address = proxy.address();
    if (!address || typeof address === 'string') throw new Error('The proxy does not listen.');
    process.env['https_proxy'] = `http://127.0.0.1:${address.port}`;
    try {
      await expect(downloadFromTemporal('cli', 'v1.8.2', join(folder, 'temporal'), () => undefined)).rejects.toThrow();
    } finally {
      delete process.env['https_proxy'];
      proxy.close();
    }
    expect(asked).toEqual(['temporal.download:443']);
  });
});

describe('a tool', () => {
  it('that is not installed is named', async () => {
    await expect(runTool('no-such-tool', [], { cwd: folder, limitMilliseconds: 1_000 })).rejects.toThrow(
      'there is no `no-such-tool` on PATH',
    );
  });
});
