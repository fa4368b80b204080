import type { Command } from 'commander';
import { loadEnv } from '../runtime/env.ts';
import { databaseUrlOf } from './database.ts';
import { CommandFailed, print, printJson } from './output.ts';

interface CreateOptions {
  slug: string;
  name: string;
  adminName: string;
  adminEmail: string;
  region: string;
  timeZone: string;
  json?: boolean;
}

/** `crm organization create`: makes an organisation that captures leads and answers tickets at once. */
export function registerOrganization(program: Command): void {
  program
    .command('organization')
    .description('make organisations')
    .command('create')
    .description('make an organisation with its first administrator; run again, it changes nothing')
    .requiredOption('--slug <slug>', 'its short name, in support addresses and for --org')
    .requiredOption('--name <name>', 'its name')
    .requiredOption('--admin-name <name>', 'who administers it first')
    .requiredOption('--admin-email <mail>', 'their mail address')
    .option('--region <country>', 'where phone numbers without country code are from (ISO 3166-1 alpha-2)', 'DE')
    .option('--time-zone <zone>', 'of its business hours (IANA)', 'Europe/Berlin')
    .option('--json', 'as JSON')
    .action(create);
}

async function create(options: CreateOptions): Promise<void> {
  const { slug, name, adminName: fullName, adminEmail: email, region: defaultRegion, timeZone, json } = options;
  // Loaded when needed: with it come the ORM and every resource, and `crm status` shall be quick.
  const { ensureOrganization } = await import('../db/access/new-organization.ts');
  const { furnishStandard, standardCalendar } = await import('../db/access/standard-office.ts');
  const { openDatabase } = await import('../db/database.ts');
  const { Problem } = await import('../db/model/problem.ts');
  const database = await openDatabase({ url: databaseUrlOf(loadEnv()), role: 'crm_relay', size: 1 });
  const calendar = standardCalendar(timeZone);
  const given = { slug, name, defaultRegion, administrator: { fullName, email }, calendar };
  try {
    const made = await ensureOrganization(database, given, { by: 'setup', furnish: furnishStandard });
    if (json) return printJson({ slug, ...made });
    print(
      `${made.created ? 'Made' : 'There is already'} the organisation ${slug} (${made.organizationId}).\n` +
        `Its administrator is ${email} (${made.administratorId}).\nA token: npx crm token --role admin --org ${slug}`,
    );
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    throw new CommandFailed(
      [error.message, ...error.errors.map(({ path, message }) => `${path}: ${message}`)].join('\n'),
    );
  } finally {
    await database.close();
  }
}
