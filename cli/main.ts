import { Command } from 'commander';
import { registerAudit } from './audit.ts';
import { registerCapture } from './capture.ts';
import { registerDemoTickets } from './demo-tickets.ts';
import { registerDoctor } from './doctor.ts';
import { registerMigrate } from './migrate.ts';
import { registerOrganization } from './organization.ts';
import { CommandFailed } from './output.ts';
import { registerStatus } from './status.ts';
import { registerToken } from './token.ts';
import { registerUp } from './up.ts';

const program = new Command('crm')
  .description('Durable CRM: a CRM whose processes cannot be lost.')
  .showHelpAfterError();

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
  const text = textOf(error);
  process.stderr.write(process.argv.includes('--json') ? `${JSON.stringify({ error: text })}\n` : `${text}\n`);
  process.exit(error instanceof CommandFailed ? error.exitCode : 1);
}

/** Errors speak for themselves; only a mistake in this program needs its stack. */
function textOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const isMistake = error instanceof TypeError || error instanceof ReferenceError;
  return isMistake && error.stack ? error.stack : error.message;
}
