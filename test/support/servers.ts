import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What the tests may ask for by name: each is started when the first test asks, and answers where it is. */
export type TestServers = Record<string, () => Promise<string>>;

/**
 * Serves `servers` to the Jest workers on a loopback port: GET /name answers the address as text, or 500 with the
 * reason. Each is started once, so that a run of pure tests starts nothing. `close` stops the listener only.
 */
export async function serveOnDemand(servers: TestServers): Promise<{ url: string; close: () => void }> {
  const started = new Map<string, Promise<string>>();
  const listener = createServer((request, response) => {
    // A connection kept open is closed after five seconds, perhaps while the next request is on its way.
    response.shouldKeepAlive = false;
    const name = request.url?.slice(1) ?? '';
    const start = servers[name] ?? (() => Promise.reject(new Error(`No test server is named "${name}".`)));
    if (!started.has(name)) started.set(name, start());
    Promise.resolve(started.get(name)).then(
      (address) => response.end(address),
      (error: unknown) =>
        response.writeHead(500).end(error instanceof Error ? (error.stack ?? error.message) : String(error)),
    );
  });
  await new Promise<void>((listening) => listener.listen(0, '127.0.0.1', listening));
  listener.unref();
  const { port } = listener.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    close: () => {
      listener.close();
      listener.closeAllConnections();
    },
  };
}

/** The address of a server of this run, started if need be. Throws with the reason when it cannot start. */
export async function addressOf(name: string): Promise<string> {
  const servers = process.env['CRM_TEST_SERVERS'];
  if (!servers) throw new Error('Run the tests with `npm test -- <pattern>`: it starts the servers they need.');
  const response = await fetch(`${servers}/${name}`);
  const text = await response.text();
  if (!response.ok) throw new Error(`The test server "${name}" did not start: ${text}`);
  return text;
}
