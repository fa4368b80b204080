import { accessSync, constants, existsSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import { z } from 'zod';
import { complaint } from '../workflows/text/complaints.ts';

/** The checkout: the folder that holds package.json. */
export const checkoutRoot = dirname(dirname(fileURLToPath(import.meta.url)));

const logLevels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;
const port = wholeNumber(1, 65_535, 'must be a port number from 1 to 65535');
const countAtLeastOne = wholeNumber(1, 1_000_000, 'must be a whole number from 1 to 1000000');
const urlOf = (...protocols: string[]) =>
  z
    .string()
    .refine(
      (value) => URL.canParse(value) && protocols.includes(new URL(value).protocol),
      `must be a URL that begins with ${protocols.map((protocol) => `${protocol}//`).join(' or ')}`,
    );
const booleanWord = z.stringbool({ error: 'must be true or false' });
const hostAndPort = z.string().refine((value) => {
  const [, portText] = /^(?:[^\s/:]+|\[[0-9a-fA-F:]+\]):(\d{1,5})$/.exec(value) ?? [];
  return port.safeParse(portText).success;
}, 'must be host:port, without http://');
const certificateFile = z.string().refine(isReadableFile, 'must be the path of a file that can be read');

// Temporal joins the two with a colon or a dot; the field's build IDs (a release, a commit) have neither a colon nor a space.
const versionName = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._/-]{0,200}$/, 'must be letters, digits and . _ / -');

type Given = Readonly<Record<string, unknown>>;
const isAnyOf = (given: Given, ...names: string[]) => names.some((name) => given[name] !== undefined);

/** What variables ask of one another; looked at also beside other invalid ones, since all are reported at once. */
const bonds: readonly { path: string; error: string; holds: (given: Given) => boolean }[] = [
  {
    path: 'TEMPORAL_WORKER_BUILD_ID',
    error: 'must be set together with TEMPORAL_DEPLOYMENT_NAME, or neither',
    holds: (given) => isAnyOf(given, 'TEMPORAL_DEPLOYMENT_NAME') === isAnyOf(given, 'TEMPORAL_WORKER_BUILD_ID'),
  },
  {
    path: 'TEMPORAL_ADDRESS',
    error: 'must be set together with TEMPORAL_API_KEY and TEMPORAL_TLS: what `npm start` brings knows neither',
    holds: (given) =>
      isAnyOf(given, 'TEMPORAL_ADDRESS') ||
      !Object.entries(given).some(([name, value]) => /^TEMPORAL_(API_KEY|TLS)/.test(name) && Boolean(value)),
  },
  {
    path: 'TEMPORAL_TLS_CLIENT_KEY_PATH',
    error: 'must be set (or TEMPORAL_TLS_CLIENT_KEY_DATA) together with the certificate, TEMPORAL_TLS_CLIENT_CERT_…',
    holds: (given) =>
      isAnyOf(given, 'TEMPORAL_TLS_CLIENT_CERT_PATH', 'TEMPORAL_TLS_CLIENT_CERT_DATA') ===
      isAnyOf(given, 'TEMPORAL_TLS_CLIENT_KEY_PATH', 'TEMPORAL_TLS_CLIENT_KEY_DATA'),
  },
  ...['CLIENT_CERT', 'CLIENT_KEY', 'SERVER_CA_CERT'].map((what) => ({
    path: `TEMPORAL_TLS_${what}_DATA`,
    error: `must not be set beside TEMPORAL_TLS_${what}_PATH`,
    holds: (given: Given) =>
      !isAnyOf(given, `TEMPORAL_TLS_${what}_DATA`) || !isAnyOf(given, `TEMPORAL_TLS_${what}_PATH`),
  })),
];

/**
 * Every variable the product reads. `.env.example` documents the same names (a test compares them).
 * Variables of the embedded parts are optional: `npm start` fills in what it started itself.
 */
export const environmentSchema = bonds.reduce(
  (schema, { path, error, holds }) => schema.refine(holds, { path: [path], error, when: () => true }),
  z.object({
    DATABASE_URL: urlOf('postgres:', 'postgresql:').optional(),
    HOST: z.string().min(1).default('127.0.0.1'),
    PORT: port.default(3000),
    METRICS_PORT: port.optional(),
    EMBEDDED_PORTS_FROM: port.optional(),
    LOG_LEVEL: z.enum(logLevels, `must be one of ${logLevels.join(', ')}`).default('info'),
    DATA_DIR: z.string().min(1).default('.data'),
    JWKS_URL: urlOf('http:', 'https:').optional(),
    JWT_ISSUER: z.string().min(1).default('durable-crm'),
    JWT_AUDIENCE: z.string().min(1).default('crm'),
    SMTP_URL: urlOf('smtp:', 'smtps:').optional(),
    MAIL_FROM: z.string().regex(/@/, 'must hold a mail address').default('Durable CRM <crm@localhost>'),
    SUPPORT_ADDRESS: z
      .string()
      .regex(
        /^[^\s@{}]*(\{organization\}[^\s@{}]*@[^\s@{}]+|@[^\s@{}]*\{organization\}[^\s@{}]*)$/,
        'must be a mail address with {organization} in it, such as support@{organization}.example',
      )
      .default('support@{organization}.example'),
    MAIL_WEBHOOK_SECRET: z.string().min(32, 'must be at least 32 characters').optional(),
    RATE_LIMIT_PER_SECOND: countAtLeastOne.default(50),
    RATE_LIMIT_BURST: countAtLeastOne.default(1000),
    TEMPORAL_ADDRESS: hostAndPort.optional(),
    TEMPORAL_NAMESPACE: z.string().min(1).default('default'),
    TEMPORAL_API_KEY: z.string().min(1).optional(),
    TEMPORAL_TLS: booleanWord.optional(),
    TEMPORAL_TLS_CLIENT_CERT_PATH: certificateFile.optional(),
    TEMPORAL_TLS_CLIENT_CERT_DATA: z.string().min(1).optional(),
    TEMPORAL_TLS_CLIENT_KEY_PATH: certificateFile.optional(),
    TEMPORAL_TLS_CLIENT_KEY_DATA: z.string().min(1).optional(),
    TEMPORAL_TLS_SERVER_CA_CERT_PATH: certificateFile.optional(),
    TEMPORAL_TLS_SERVER_CA_CERT_DATA: z.string().min(1).optional(),
    TEMPORAL_TLS_SERVER_NAME: z.string().min(1).optional(),
    TEMPORAL_TLS_DISABLE_HOST_VERIFICATION: booleanWord
      .refine(
        (disabled) => !disabled,
        "must be false: Temporal's SDK verifies every host; see TEMPORAL_TLS_SERVER_CA_CERT_PATH and …_SERVER_NAME",
      )
      .optional(),
    TEMPORAL_DEPLOYMENT_NAME: versionName.optional(),
    TEMPORAL_WORKER_BUILD_ID: versionName.optional(),
  }),
);

export type Env = z.output<typeof environmentSchema>;

/** What an environment looks like before it is parsed: strings, or nothing. */
export type Variables = Record<string, string | undefined>;

/** Thrown by `parseEnv`; its message is made for the person who set the variables. */
export class InvalidEnvironment extends Error {
  override name = 'InvalidEnvironment';
}

/** Parses variables; an empty value counts as unset. Throws InvalidEnvironment naming every invalid variable at once. */
export function parseEnv(variables: Variables): Env {
  const parsed = environmentSchema.safeParse(withoutBlanks(variables), { error: complaint });
  if (!parsed.success) {
    const complaints = parsed.error.issues.map(({ path, message }) => `  ${path.join('.')}: ${message}`);
    throw new InvalidEnvironment(
      `These environment variables are invalid (see .env.example):\n${complaints.join('\n')}`,
    );
  }
  return { ...parsed.data, DATA_DIR: resolve(checkoutRoot, parsed.data.DATA_DIR) };
}

/** The environment of this process, completed from the checkout's `.env` file when there is one. */
export function loadEnv(): Env {
  const file = join(checkoutRoot, '.env');
  if (existsSync(file)) process.loadEnvFile(file);
  return parseEnv(process.env);
}

/** `DATABASE_URL`, or an InvalidEnvironment that says how to get one: API and worker cannot run without it. */
export function databaseUrl(env: Env): string {
  if (env.DATABASE_URL) return env.DATABASE_URL;
  throw new InvalidEnvironment(
    'DATABASE_URL is not set. Set it (see .env.example), or use `npm start`, which brings PostgreSQL.',
  );
}

/** The version as which a worker polls (Temporal's worker deployments); undefined without one. */
export function deploymentVersion(env: Env): { deploymentName: string; buildId: string } | undefined {
  const { TEMPORAL_DEPLOYMENT_NAME: deploymentName, TEMPORAL_WORKER_BUILD_ID: buildId } = env;
  return deploymentName && buildId ? { deploymentName, buildId } : undefined;
}

/** Connection options and namespace for Temporal, from the TEMPORAL_* variables alone (no configuration file). */
export function temporalConnectConfig({ TEMPORAL_TLS: tls }: Env) {
  // To envconfig, words other than `true` and `1` mean false, and even host verification that stays on means TLS.
  const { TEMPORAL_TLS_DISABLE_HOST_VERIFICATION: _, ...variables } = withoutBlanks(process.env);
  const overrideEnvVars = { ...variables, ...(tls !== undefined && { TEMPORAL_TLS: String(tls) }) };
  return loadClientConnectConfig({ disableFile: true, overrideEnvVars });
}

/** The variables for a child process: those of this one, then `overrides` (undefined removes a name). */
export function childVariables(overrides: Variables): NodeJS.ProcessEnv {
  return { ...process.env, ...overrides };
}

/** The folders of PATH, in order. */
export function executableFolders(): string[] {
  return (process.env['PATH'] ?? '').split(delimiter).filter(Boolean);
}

/** The proxies of the environment, and for what there is none. */
export function proxyVariables(): Variables {
  const names = ['http_proxy', 'https_proxy', 'no_proxy'].flatMap((name) => [name, name.toUpperCase()]);
  return Object.fromEntries(names.map((name) => [name, process.env[name]]));
}

/** The user's cache folder of this product: outside the checkout, so that a second checkout finds what the first one fetched. */
export function userCacheFolder(): string {
  return join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'durable-crm');
}

function isReadableFile(path: string): boolean {
  try {
    accessSync(path, constants.R_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

function wholeNumber(least: number, greatest: number, error: string) {
  return z.coerce.number({ error }).int({ error }).min(least, { error }).max(greatest, { error });
}

function withoutBlanks(variables: Variables): Record<string, string> {
  return Object.fromEntries(
    Object.entries(variables).flatMap(([name, value]) => (value?.trim() ? [[name, value]] : [])),
  );
}
