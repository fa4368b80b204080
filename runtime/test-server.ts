import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { checkoutRoot, userCacheFolder } from './env.ts';
import { downloadFromTemporal, executablesOnPath, isExecutable, runTool } from './executables.ts';
import type { Progress } from './executables.ts';

/** The release of Temporal's time-skipping test server, part of its Java SDK; runtime/temporal-test-server/pom.xml names the same one. */
export const testServerVersion = '1.38.0';

const cached = () => join(userCacheFolder(), `temporal-test-server-${testServerVersion}`, 'temporal-test-server');

/**
 * The path of an executable of the time-skipping test server, which takes a port as its argument: from the user's cache,
 * downloaded, or resolved by Maven and wrapped in a shell script. Throws an error that names the ways out.
 */
export async function obtainTestServer(progress: Progress): Promise<string> {
  if (isExecutable(cached())) return cached();
  try {
    progress('Temporal test server: downloading it (once)');
    await downloadFromTemporal('temporal-test-server', `v${testServerVersion}`, cached(), progress);
  } catch (downloadError) {
    try {
      await wrapByMaven(progress);
    } catch (mavenError) {
      throw new Error(
        [
          'The time-skipping test server of Temporal could not be obtained.',
          `  download: ${String(downloadError)}`,
          `  Maven: ${String(mavenError)}`,
          'Either let this machine reach https://temporal.download and https://github.com, or install Java 17 and Maven.',
        ].join('\n'),
      );
    }
  }
  return cached();
}

async function wrapByMaven(progress: Progress): Promise<void> {
  const [java] = executablesOnPath('java');
  if (!java) throw new Error('there is no `java` on PATH');
  progress('Temporal test server: resolving it with Maven (once)');
  const folder = dirname(cached());
  const classPathFile = join(folder, 'class-path');
  mkdirSync(folder, { recursive: true });
  await runTool(
    'mvn',
    ['--batch-mode', '--quiet', 'dependency:build-classpath', `-Dmdep.outputFile=${classPathFile}`],
    { cwd: join(checkoutRoot, 'runtime', 'temporal-test-server'), limitMilliseconds: 10 * 60_000 },
  );
  const unfinished = `${cached()}.${process.pid}`;
  const script = `#!/bin/sh\nexec "${java}" -cp "$(cat "${classPathFile}")" io.temporal.testserver.TestServer "$@"\n`;
  writeFileSync(unfinished, script, { mode: 0o755 });
  renameSync(unfinished, cached());
}
