import { Option } from 'commander';
import type { Command } from 'commander';
import type { ClientBase } from 'pg';
import { loadEnv } from '../runtime/env.ts';
import { loadOrCreateSigningKey, signToken } from '../runtime/keys.ts';
import { roles } from '../workflows/access/permissions.ts';
import type { Role } from '../workflows/access/permissions.ts';
import { databaseUrlOf, withDatabase } from './database.ts';
import { CommandFailed, print, printJson, tell } from './output.ts';

type TokenOptions = { role: Role; user?: string; org: string; hours: number; json?: boolean };
type Holder = { userId: string; organizationId: string; fullName: string; email: string };

/** `crm token`: prints a token of this installation's own key, for a user who has the role. */
export function registerToken(program: Command): void {
  program
    .command('token')
    .description("print a token for the API, signed with this installation's own key")
    .addOption(new Option('--role <role>', 'the role it gives').choices(roles).makeOptionMandatory())
    .option('--user <id or mail>', 'for this user (otherwise the first one with the role)')
    .option('--org <slug>', 'in this organisation', 'acme')
    .option('--hours <hours>', 'how long it holds', parseHours, 12)
    .option('--json', 'as JSON, with the user it is for')
    .action(async (options: TokenOptions) => {
      const env = loadEnv();
      const holder = await findHolder(databaseUrlOf(env), options);
      const token = await signToken(await loadOrCreateSigningKey(env.DATA_DIR), {
        issuer: env.JWT_ISSUER,
        audience: env.JWT_AUDIENCE,
        userId: holder.userId,
        organizationId: holder.organizationId,
        roles: [options.role],
        validSeconds: options.hours * 3600,
      });
      if (options.json) printJson({ token, role: options.role, ...holder });
      else print(token);
      if (env.JWKS_URL) tell('JWKS_URL is set: an API that has it takes the tokens of those keys alone, not this one.');
    });
}

function findHolder(url: string, { role, user, org }: TokenOptions): Promise<Holder> {
  return withDatabase(url, async (client) => {
    const organization = await client.query<{ id: string }>(
      `select organization_id as id from crm_core.core_organizations where slug = $1 and deleted_at is null`,
      [org],
    );
    const organizationId = organization.rows[0]?.id;
    if (!organizationId)
      throw new CommandFailed(
        `There is no organisation \`${org}\` (the demo has \`acme\` and \`globex\`). Make one: ` +
          `\`crm organization create --slug ${org} --name … --admin-name … --admin-email …\``,
      );
    const { rows } = await client.query<Holder>(
      `select u.user_id as "userId", u.organization_id as "organizationId", u.full_name as "fullName", u.email
         from crm_core.crm_users u
         join crm_core.core_users i on i.user_id = u.user_id and i.status = 'active' and i.deleted_at is null
         join crm_core.core_role_assignments a on a.user_id = u.user_id and a.deleted_at is null
         join crm_core.core_roles r on r.role_id = a.role_id and r.name = $2 and r.deleted_at is null
        where u.organization_id = $1 and u.deleted_at is null and ($3::text is null or u.user_id::text = $3 or lower(u.email) = lower($3))
        order by u.created_at, u.user_id
        limit 1`,
      [organizationId, role, user ?? null],
    );
    const [holder] = rows;
    if (!holder) throw new CommandFailed(await whyNobody(client, organizationId, { role, user, org }));
    return holder;
  });
}

/** A suspended identity counts as none: the API refuses its tokens. */
async function whyNobody(
  client: ClientBase,
  organizationId: string,
  { role, user, org }: Pick<TokenOptions, 'role' | 'user' | 'org'>,
): Promise<string> {
  const { rows } = await client.query<{ name: string }>(
    `select distinct r.name
       from crm_core.core_role_assignments a
       join crm_core.core_roles r on r.role_id = a.role_id and r.deleted_at is null
       join crm_core.core_users i on i.user_id = a.user_id and i.status = 'active' and i.deleted_at is null
      where a.organization_id = $1 and a.deleted_at is null
        and ($2::text is null or i.user_id::text = $2 or lower(i.email) = lower($2))
      order by r.name`,
    [organizationId, user ?? null],
  );
  const held = rows.map(({ name }) => `\`${name}\``).join(', ');
  if (user)
    return `In \`${org}\` the user \`${user}\` ${held ? `has not the role \`${role}\` but ${held}` : 'is not there, suspended, or without a role'}.`;
  return `In \`${org}\` nobody has the role \`${role}\`; --role may be ${held}.`;
}

function parseHours(text: string): number {
  const hours = Number(text);
  if (hours > 0 && hours <= 24 * 365) return hours;
  throw new CommandFailed('--hours must be a number of hours, at most a year.');
}
