import { Command, CommanderError } from 'commander';
import { registerAudit } from './audit.ts';
import { reasonOf } from './checks/finding.ts';
import { registerCapture } from './capture.ts';
import { registerDemoTickets } from './demo-tickets.ts';
import { registerDoctor } from './doctor.ts';
import { registerMigrate } from './migrate.ts';
import { registerOrganization } from './organization.ts';
import { CommandFailed, tell } from './output.ts';
import { registerStatus } from './status.ts';
import { registerToken } from './token.ts';
import { registerUp } from './up.ts';

const isJson = process.argv.includes('--json');

// Whoever read it may be gone (`| tee` at Ctrl-C, a closed terminal): what is under way comes to its end all the same.
for (const output of [process.stdout, process.stderr]) output.on('error', () => undefined);

// Commands take over these settings when they are registered.
const program = new Command('crm')
  .description('Durable CRM: a CRM whose processes cannot be lost.')
  .showHelpAfterError()
  .exitOverride()
  .configureOutput(isJson ? { writeErr: () => undefined } : {});

for (const register of [
  registerUp,
  registerStatus,
  registerToken,
  registerMigrate,
  registerOrganization,
  registerCapture,
  registerAudit,
  registerDemoTickets,
  registerDoctor,
]) {
  register(program);
}

try {
  await program.parseAsync();
} catch (error) {
  const isUsage = error instanceof CommanderError;
  if (isJson && !(isUsage && error.exitCode === 0)) tell(JSON.stringify({ error: textOf(error) }));
  // Of a wrong call commander has told already.
  else if (!isUsage) tell(textOf(error));
  process.exit(isUsage || error instanceof CommandFailed ? error.exitCode : 1);
}

/** Errors speak for themselves; only a mistake in this program needs its stack. */
function textOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error instanceof CommanderError) return error.message.replace(/^error: /, '');
  const isMistake = error instanceof TypeError || error instanceof ReferenceError;
  return isMistake && error.stack ? error.stack : reasonOf(error);
}
