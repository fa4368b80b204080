/**
 * Calls `drain` once, when this process is asked to stop: SIGTERM, SIGINT, SIGHUP, or the loss of the parent that holds its IPC
 * channel (a killed `npm start`). Then exits: 0 when drained, 1 when draining failed or took longer than the limit.
 */
export function onShutdown(drain: () => Promise<void>, limitMilliseconds = 25_000): void {
  let stopping = false;
  const stop = () => {
    // Ctrl-C arrives twice, from the terminal and from the launcher.
    if (stopping) return;
    stopping = true;
    setTimeout(() => {
      process.stderr.write(`Stopping took more than ${limitMilliseconds / 1000} s: gave up waiting.\n`);
      process.exit(1);
    }, limitMilliseconds).unref();
    drain().then(
      () => process.exit(0),
      (error: unknown) => {
        process.stderr.write(`Stopping failed: ${error instanceof Error ? error.stack : String(error)}\n`);
        process.exit(1);
      },
    );
  };
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, stop);
  if (process.channel) {
    process.once('disconnect', stop);
    process.channel.unref();
  }
}
