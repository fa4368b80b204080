import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { checkoutRoot } from '../../runtime/env.ts';

/** Runs `crm …`, which is called wrongly and so touches nothing. */
function crm(...args: string[]): Promise<{ code: unknown; out: string; err: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [join(checkoutRoot, 'cli', 'main.ts'), ...args], (error, out, err) => {
      resolve({ code: error?.code ?? 0, out, err });
    });
  });
}

const wrong: [what: string, args: string[], message: string][] = [
  ['a value that is none', ['token', '--role', 'bogus'], 'Allowed choices are admin'],
  ['a number that is none', ['capture', 'x.csv', '--rate', 'abc'], 'It must be a number above 0.'],
  ['a missing option', ['organization', 'create', '--slug', 'a'], "required option '--name <name>' not specified"],
  ['an unknown option', ['status', '--bogus'], "unknown option '--bogus'"],
  ['an unknown command', ['bogus'], "unknown command 'bogus'"],
  ['a group without its command', ['migrate'], "unknown option '--json'"],
];

describe('crm, called wrongly', () => {
  it.each(wrong)('answers %s with one document under --json', async (_what, args, message) => {
    const { code, out, err } = await crm(...args, '--json');
    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(JSON.parse(err)).toEqual({ error: expect.stringContaining(message) });
    expect(JSON.parse(err)).not.toEqual({ error: expect.stringMatching(/^error:|Usage:/) });
  });

  it('shows the help with it else', async () => {
    const { code, err } = await crm('token', '--role', 'bogus');
    expect(code).toBe(1);
    expect(err).toMatch(/^error: option .*Allowed choices are admin[^]*Usage: crm token/);
  });

  it('shows the help when asked, and is content', async () => {
    const { code, out, err } = await crm('token', '--help');
    expect({ code, out, err }).toEqual({ code: 0, out: expect.stringContaining('Usage: crm token'), err: '' });
  });
});
