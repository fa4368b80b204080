import { createServer } from 'node:net';

/** Whether a TCP server can listen on `host:port` now; throws when another port would not help. */
export function isPortFree(port: number, host = '127.0.0.1'): Promise<boolean> {
  return new Promise((settle, refuse) => {
    const probe = createServer();
    probe.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') settle(false);
      else
        refuse(
          new Error(`Nothing can listen on port ${port} of ${host}: ${causes[error.code ?? ''] ?? error.message}.`),
        );
    });
    probe.listen({ port, host, exclusive: true }, () => probe.close(() => settle(true)));
  });
}

const causes: Readonly<Record<string, string>> = {
  EACCES: 'the system does not let this account use it; choose a port from 1024 on',
  EADDRNOTAVAIL: 'that is no address of this machine; set HOST to one, or to 0.0.0.0 for all',
  ENOTFOUND: 'there is no such host; set HOST to an address of this machine, or to 0.0.0.0 for all',
};

/** Where what listens on `host` (an address, or all of them) is reached from this machine. */
export function urlOf(host: string, port: number): string {
  const reached = { '0.0.0.0': '127.0.0.1', '::': '[::1]' }[host] ?? (host.includes(':') ? `[${host}]` : host);
  return `http://${reached}:${port}`;
}

/** The first free port from `wanted` upwards that is not in `taken`; throws when a hundred in a row are occupied. */
export async function nextFreePort(
  wanted: number,
  taken: ReadonlySet<number> = new Set(),
  host = '127.0.0.1',
): Promise<number> {
  for (let port = wanted; port < wanted + 100 && port <= 65_535; port++) {
    if (!taken.has(port) && (await isPortFree(port, host))) return port;
  }
  throw new Error(
    `No free port from ${wanted} to ${wanted + 99} on ${host}: stop what occupies them, or choose another one.`,
  );
}

/** A free port chosen by the operating system, for servers whose address nobody has to remember (tests). */
export function anyFreePort(): Promise<number> {
  return new Promise((settle, refuse) => {
    const probe = createServer();
    probe.once('error', refuse);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() =>
        address && typeof address === 'object' ? settle(address.port) : refuse(new Error('no free port')),
      );
    });
  });
}

/** Chooses ports for the parts of one installation: the default one, or the next free one, said plainly by `tell`. */
export function portChooser(tell: (line: string) => void) {
  const taken = new Set<number>();
  // One after the other: asked for twice at once, the same port would look free to both.
  let queue: Promise<unknown> = Promise.resolve();
  return (part: string, wanted: number, host = '127.0.0.1'): Promise<number> => {
    const chosen = queue.then(async () => {
      const port = await nextFreePort(wanted, taken, host);
      // What is this installation's own is no news.
      if (port !== wanted && !taken.has(wanted)) tell(`port ${wanted} is occupied: ${part} uses ${port}`);
      taken.add(port);
      return port;
    });
    queue = chosen.catch(() => undefined);
    return chosen;
  };
}
