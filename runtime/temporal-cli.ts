import { spawnSync } from 'node:child_process';
import { mkdirSync, renameSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { checkoutRoot, userCacheFolder } from './env.ts';
import { downloadFromTemporal, executablesOnPath, isExecutable, runTool } from './executables.ts';
import type { Progress } from './executables.ts';

/** The release of the Temporal CLI that is fetched or built; it holds server 1.31.2 and UI 2.50.1. */
export const temporalCliVersion = '1.8.2';

/** The oldest server inside a `temporal` on PATH that is good enough. */
export const oldestServer = '1.31.0';

const sources = join(checkoutRoot, 'runtime', 'temporal-cli');
const cached = () => join(userCacheFolder(), `temporal-${temporalCliVersion}`, 'temporal');

/** The Temporal CLI that is at hand without network (PATH, then the user's cache), or undefined. */
export function findTemporalCli(): string | undefined {
  return executablesOnPath('temporal').find(isRecentEnough) ?? (isExecutable(cached()) ? cached() : undefined);
}

/**
 * The path of a Temporal CLI: on PATH (server 1.31.0 or newer), in the user's cache, downloaded, or built by Go; what was
 * fetched goes to the cache. Throws an error that names every way out.
 */
export async function obtainTemporalCli(progress: Progress): Promise<string> {
  const found = findTemporalCli();
  if (found) return found;
  const attempts: string[] = [];
  for (const [name, obtain] of [
    ['download', downloadCli],
    ['build with Go', buildCli],
  ] as const) {
    try {
      await obtain(progress);
      return cached();
    } catch (error) {
      attempts.push(`  ${name}: ${reasonOf(error)}`);
      progress(`Temporal CLI: ${name} failed`);
    }
  }
  throw new Error(
    [
      'The Temporal CLI could not be obtained.',
      ...attempts,
      'Any one of these mends it:',
      `  - install the Temporal CLI ${temporalCliVersion} (https://docs.temporal.io/cli) so that \`temporal\` is on PATH (server ${oldestServer} or newer);`,
      `  - put its executable at ${cached()};`,
      '  - let this machine reach https://temporal.download and https://github.com;',
      '  - install Go 1.26.4 or newer, with access to a Go module proxy, and start again: it is then built in a few minutes;',
      '  - set TEMPORAL_ADDRESS to a Temporal service of your own.',
    ].join('\n'),
  );
}

/** Whether the text of `temporal --version` names a server from `oldestServer` on (a CLI built from source has no version of its own). */
export function hasRecentServer(versionText: string): boolean {
  const [, ...parts] = /Server (\d+)\.(\d+)\.(\d+)/.exec(versionText) ?? [];
  if (parts.length === 0) return false;
  const [found, wanted] = [parts, oldestServer.split('.')].map((version) =>
    version.map((part) => part.padStart(6, '0')).join('.'),
  );
  return (found ?? '') >= (wanted ?? '');
}

function isRecentEnough(file: string): boolean {
  const { stdout, status } = spawnSync(file, ['--version'], { encoding: 'utf8', timeout: 10_000 });
  return status === 0 && hasRecentServer(stdout);
}

async function downloadCli(progress: Progress): Promise<void> {
  progress(`Temporal CLI ${temporalCliVersion}: downloading it (once; it is kept in ${dirname(cached())})`);
  await downloadFromTemporal('cli', `v${temporalCliVersion}`, cached(), (line) => progress(`Temporal CLI: ${line}`));
}

async function buildCli(progress: Progress): Promise<void> {
  progress('Temporal CLI: building it with Go, which takes three to ten minutes (once)');
  const unfinished = `${cached()}.${process.pid}`;
  mkdirSync(dirname(unfinished), { recursive: true });
  const startedAt = performance.now();
  let packages = 0;
  const heartbeat = setInterval(() => {
    const seconds = Math.round((performance.now() - startedAt) / 1000);
    progress(`Temporal CLI: building, ${packages} packages read or compiled, ${seconds} s`);
  }, 10_000);
  try {
    const version = `-X github.com/temporalio/cli/internal/temporalcli.Version=${temporalCliVersion}`;
    await runTool(
      'go',
      [
        'build',
        '-v',
        '-mod=readonly',
        '-trimpath',
        '-ldflags',
        `-s -w ${version}`,
        '-o',
        unfinished,
        'github.com/temporalio/cli/cmd/temporal',
      ],
      { cwd: sources, limitMilliseconds: 30 * 60_000, onLine: () => packages++ },
    );
  } finally {
    clearInterval(heartbeat);
  }
  renameSync(unfinished, cached());
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message} (${error.cause.message})` : error.message;
}
