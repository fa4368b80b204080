import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { checkoutRoot, childVariables, type Env } from '../../runtime/env.ts';
import { runningState } from '../../runtime/run-state.ts';
import type { Role } from '../../workflows/access/permissions.ts';
import { CommandFailed } from '../output.ts';

/** Where a file is sent, and as whom. */
export interface Destination {
  url: string;
  token: string;
}

/**
 * The API named on the command line, or that of the running installation; with a token of this installation for a
 * manager of the organisation, or its administrator, unless one is given. Throws CommandFailed when there is neither.
 */
export async function findDestination(
  env: Env,
  given: { url?: string; token?: string; org: string },
): Promise<Destination> {
  const url = given.url ?? runningState(env.DATA_DIR)?.api;
  if (!url) throw new CommandFailed('No API: start one with `npm start`, or name one by --url.', 3);
  if (!URL.canParse(url))
    throw new CommandFailed(`--url must be the base of an API, such as http://127.0.0.1:3000, not ${url}.`);
  return { url, token: given.token ?? (await tokenForCaptures(given.org)) };
}

/** A new organisation has nobody but its administrator. */
function tokenForCaptures(org: string): Promise<string> {
  return tokenFor('manager', org).catch(() => tokenFor('admin', org));
}

/** Asks `crm token`: who may get one, and with which key it is signed, is said there. Throws CommandFailed. */
export async function tokenFor(role: Role, org: string): Promise<string> {
  const script = join(checkoutRoot, 'cli', 'main.ts');
  try {
    const { stdout } = await promisify(execFile)(
      process.execPath,
      [script, 'token', '--role', role, '--org', org, '--hours', '48'],
      { env: childVariables({}) },
    );
    return stdout.trim();
  } catch (error) {
    const { stderr } = error as { stderr?: string };
    throw new CommandFailed(`No token: ${stderr?.trim() || String(error)}`);
  }
}
