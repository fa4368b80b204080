import { spawn } from 'node:child_process';
import { Connection } from '@temporalio/client';
import { anyFreePort } from '../../runtime/ports.ts';
import { describeExit, exitOf, waitUntil } from '../../runtime/processes.ts';

/** A time-skipping server that answers at `address`. */
export interface TimeSkippingServer {
  address: string;
  stop(): Promise<void>;
}

/**
 * Starts a time-skipping server and waits until it answers. The SDK's own start gives it five seconds, which a JVM on a
 * busy machine does not make, however often it is tried. Throws when it ends, or is silent for two minutes.
 */
export async function startTimeSkippingServer(executable: string): Promise<TimeSkippingServer> {
  const port = await anyFreePort();
  const address = `127.0.0.1:${port}`;
  const server = spawn(executable, [String(port)], { stdio: 'ignore' });
  const exited = exitOf(server);
  const killWithUs = () => void server.kill('SIGKILL');
  process.once('exit', killWithUs);
  const stop = async () => {
    process.off('exit', killWithUs);
    server.kill('SIGKILL');
    await exited;
  };

  const ended = await Promise.race([exited, waitUntil(() => answers(address), 120_000)]);
  if (ended === true) return { address, stop };
  await stop();
  throw new Error(`The time-skipping server ${ended ? describeExit(ended) : 'does not answer'}.`);
}

async function answers(address: string): Promise<boolean> {
  try {
    const connection = await Connection.connect({ address, connectTimeout: 5_000 });
    await connection.close();
    return true;
  } catch {
    return false;
  }
}
