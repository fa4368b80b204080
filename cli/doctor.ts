import type { Command } from 'commander';
import { type Env, loadEnv } from '../runtime/env.ts';
import { ill, reasonOf } from './checks/finding.ts';
import type { Finding } from './checks/finding.ts';
import { checkMachine } from './checks/machine.ts';
import { print, printJson } from './output.ts';

const marks = { well: 'ok', warning: '!', ill: 'x' } as const;

/** `crm doctor`: what is wrong with this installation and how to mend it; exit code 1 when something is ill. */
export function registerDoctor(program: Command): void {
  program
    .command('doctor')
    .description('say what is wrong with this installation and how to mend it (exit code 1: something is)')
    .option('--json', 'as JSON')
    .action(async ({ json }: { json?: boolean }) => {
      const findings = await examine();
      const healthy = findings.every(({ state }) => state !== 'ill');
      if (json) printJson({ healthy, findings });
      else print(findings.map(describe).join('\n'));
      if (!healthy) process.exitCode = 1;
    });
}

async function examine(): Promise<Finding[]> {
  let env: Env;
  try {
    env = loadEnv();
  } catch (error) {
    return [ill('environment', reasonOf(error), 'correct these variables, or the file .env')];
  }
  // Loaded when needed: with it come the ORM and the Temporal client, and `crm status` shall be quick.
  const { checkServices } = await import('./checks/services.ts');
  return [...(await checkMachine(env)), ...(await checkServices(env))];
}

function describe({ part, state, detail, mend }: Finding): string {
  const line = `${marks[state].padEnd(3)}${part.padEnd(18)}${detail}`;
  return mend ? `${line}\n   ${' '.repeat(18)}→ ${mend}` : line;
}
