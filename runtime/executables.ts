import { spawn, spawnSync } from 'node:child_process';
import { accessSync, constants, createWriteStream, mkdirSync, renameSync, rmSync } from 'node:fs';
import { setGlobalProxyFromEnv } from 'node:http';
import { arch, platform } from 'node:os';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { z } from 'zod';
import { executableFolders, proxyVariables } from './env.ts';
import { describeExit, exitOf } from './processes.ts';

/** Tells a person what is going on: one short line each time. */
export type Progress = (line: string) => void;

const answerWithinMilliseconds = 15_000;
const downloadWithinMilliseconds = 300_000;
const downloadInfo = z.object({ archiveUrl: z.url(), fileToExtract: z.string().min(1) });

/** Every executable file called `name` on PATH, in its order. */
export function executablesOnPath(name: string): string[] {
  return executableFolders()
    .map((folder) => join(folder, name))
    .filter(isExecutable);
}

/** Whether this process may run the file. */
export function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/**
 * Downloads an artefact (`cli`, `temporal-test-server`) from where the Temporal SDKs get theirs and puts its executable at
 * `destination`, through the proxy of the environment if there is one. Bounded: 15 s for an answer, 5 minutes in all. Throws
 * when it cannot be had.
 */
export async function downloadFromTemporal(
  artefact: string,
  version: string,
  destination: string,
  progress: Progress,
): Promise<void> {
  const query = new URLSearchParams({
    arch: arch() === 'arm64' ? 'arm64' : 'amd64',
    platform: platform(),
    format: 'tar.gz',
  });
  const folder = `${destination}.download-${process.pid}`;
  const restoreProxy = setGlobalProxyFromEnv(proxyVariables());
  try {
    const answer = await fetch(`https://temporal.download/${artefact}/${version}?${query.toString()}`, {
      signal: AbortSignal.timeout(answerWithinMilliseconds),
    });
    if (!answer.ok) throw new Error(`temporal.download answered ${answer.status}`);
    const { archiveUrl, fileToExtract } = downloadInfo.parse(await answer.json());
    mkdirSync(folder, { recursive: true });
    const archive = join(folder, 'archive.tar.gz');
    await download(archiveUrl, archive, progress);
    const { status, stderr } = spawnSync('tar', ['-xzf', archive, '-C', folder], { encoding: 'utf8' });
    if (status !== 0) throw new Error(`the archive could not be unpacked: ${stderr}`);
    mkdirSync(dirname(destination), { recursive: true });
    renameSync(join(folder, fileToExtract), destination);
  } finally {
    restoreProxy();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Runs a tool to its end, its output counted line by line for `onLine`; throws with the last lines when it fails. */
export async function runTool(
  command: string,
  args: readonly string[],
  options: { cwd: string; limitMilliseconds: number; onLine?: Progress },
): Promise<void> {
  if (executablesOnPath(command).length === 0) throw new Error(`there is no \`${command}\` on PATH`);
  const tool = spawn(command, args, {
    cwd: options.cwd,
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: options.limitMilliseconds,
  });
  const lastLines: string[] = [];
  for (const stream of [tool.stdout, tool.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      for (const line of chunk.toString().split('\n').filter(Boolean)) {
        lastLines.push(line);
        options.onLine?.(line);
      }
      lastLines.splice(0, lastLines.length - 10);
    });
  }
  const exit = await exitOf(tool);
  if (exit.code !== 0) throw new Error(`\`${command}\` ${describeExit(exit)}: ${lastLines.join('\n')}`);
}

async function download(url: string, file: string, progress: Progress): Promise<void> {
  const answer = await fetch(url, { signal: AbortSignal.timeout(downloadWithinMilliseconds) });
  if (!answer.ok || !answer.body) throw new Error(`${new URL(url).host} answered ${answer.status}`);
  const total = Number(answer.headers.get('content-length') ?? 0);
  let received = 0;
  let told = 0;
  const counted = async function* (chunks: AsyncIterable<Uint8Array>) {
    for await (const chunk of chunks) {
      received += chunk.length;
      if (received - told > 10_000_000) {
        told = received;
        progress(`downloading: ${megabytes(received)}${total > 0 ? ` of ${megabytes(total)}` : ''}`);
      }
      yield chunk;
    }
  };
  await pipeline(Readable.fromWeb(answer.body), counted, createWriteStream(file));
}

function megabytes(bytes: number): string {
  return `${Math.round(bytes / 1_000_000)} MB`;
}
