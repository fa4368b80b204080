import { spawn } from 'node:child_process';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { userCacheFolder } from '../../runtime/env.ts';
import { runTool } from '../../runtime/executables.ts';
import { exitOf } from '../../runtime/processes.ts';

const version = '4.32.5';
const installWithinMilliseconds = 240_000;

/** The path of schemathesis in the user's cache, put there by pip on first use. Throws with what pip said. */
export async function obtainSchemathesis(): Promise<string> {
  const folder = join(userCacheFolder(), `schemathesis-${version}`);
  const stamp = join(folder, 'installed');
  if (!existsSync(stamp)) {
    rmSync(folder, { recursive: true, force: true });
    const options = { cwd: '/', limitMilliseconds: installWithinMilliseconds };
    await runTool('python3', ['-m', 'venv', folder], options);
    await runTool(
      join(folder, 'bin', 'pip'),
      ['install', '--quiet', '--no-input', `schemathesis==${version}`],
      options,
    );
    writeFileSync(stamp, version);
  }
  return join(folder, 'bin', 'schemathesis');
}

/** What must hold of every answer; whether generated data is accepted is for the API's own tests. */
const checks = [
  'not_a_server_error',
  'status_code_conformance',
  'content_type_conformance',
  'response_headers_conformance',
  'response_schema_conformance',
  'unsupported_method',
];

// The same examples each time: a failure comes again. A bulk request of a thousand captures takes its time.
const generation = ['--generation-deterministic', '--request-timeout', '60'];
const output = ['--no-color', '--output-truncate', 'false', '--warnings', 'off'];
const run = ['run', '--checks', checks.join(), '--continue-on-failure'];

/** Runs schemathesis on a document with a token; answers what it says in the end. */
export async function fuzz(
  executable: string,
  document: string,
  token: string,
  options: readonly string[],
): Promise<{ exitCode: number | null; said: string }> {
  const header = ['--header', `Authorization: Bearer ${token}`];
  const fuzzer = spawn(executable, [...run, document, ...header, ...generation, ...output, ...options], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [said, { code }] = await Promise.all([text(fuzzer.stdout), exitOf(fuzzer)]);
  return { exitCode: code, said };
}
