import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import {
  checkoutRoot,
  databaseUrl,
  deploymentVersion,
  environmentSchema,
  InvalidEnvironment,
  parseEnv,
  temporalConnectConfig,
} from '../../runtime/env.ts';

describe('the environment', () => {
  it('needs nothing to be set', () => {
    expect(parseEnv({})).toMatchObject({
      PORT: 3000,
      HOST: '127.0.0.1',
      RATE_LIMIT_PER_SECOND: 50,
      RATE_LIMIT_BURST: 1000,
    });
  });

  it('takes numbers, and a data directory relative to the checkout', () => {
    expect(parseEnv({ PORT: '4000', DATA_DIR: 'elsewhere' })).toMatchObject({
      PORT: 4000,
      DATA_DIR: join(checkoutRoot, 'elsewhere'),
    });
  });

  it('counts an empty value as unset', () => {
    expect(parseEnv({ PORT: '', TEMPORAL_TLS: ' ' })).toEqual(parseEnv({}));
  });

  it('reports every invalid variable at once, each in words', () => {
    const variables = {
      PORT: 'many',
      LOG_LEVEL: 'loud',
      DATABASE_URL: 'mysql://somewhere',
      TEMPORAL_TLS: 'maybe',
      TEMPORAL_ADDRESS: 'http://temporal:7233',
      RATE_LIMIT_BURST: '0',
      SMTP_URL: 'mail.example.com',
      MAIL_FROM: 'nobody',
      SUPPORT_ADDRESS: 'support@example.com',
      MAIL_WEBHOOK_SECRET: 'short',
      TEMPORAL_DEPLOYMENT_NAME: 'crm:production',
    };
    const complain = () => parseEnv(variables);
    expect(complain).toThrow(InvalidEnvironment);
    for (const name of Object.keys(variables)) expect(complain).toThrow(new RegExp(`^  ${name}: must `, 'm'));
  });

  it('has a worker poll as the version that two variables name, or as none', () => {
    expect(deploymentVersion(parseEnv({}))).toBeUndefined();
    expect(
      deploymentVersion(parseEnv({ TEMPORAL_DEPLOYMENT_NAME: 'shop/crm', TEMPORAL_WORKER_BUILD_ID: '1.4.2-9f3c' })),
    ).toEqual({ deploymentName: 'shop/crm', buildId: '1.4.2-9f3c' });
    for (const alone of ['TEMPORAL_DEPLOYMENT_NAME', 'TEMPORAL_WORKER_BUILD_ID'])
      expect(() => parseEnv({ [alone]: 'crm', PORT: 'many' })).toThrow(
        /PORT: must [^]*TEMPORAL_WORKER_BUILD_ID: must be set together/,
      );
  });

  it.each([
    [{ TEMPORAL_ADDRESS: 'temporal:72330' }, 'TEMPORAL_ADDRESS: must be host:port'],
    [{ TEMPORAL_API_KEY: 'secret' }, 'TEMPORAL_ADDRESS: must be set together'],
    [{ TEMPORAL_TLS: 'yes' }, 'TEMPORAL_ADDRESS: must be set together'],
    [{ TEMPORAL_TLS_SERVER_CA_CERT_PATH: '/no/such.pem' }, 'TEMPORAL_TLS_SERVER_CA_CERT_PATH: must be the path'],
    [{ TEMPORAL_TLS_CLIENT_KEY_PATH: import.meta.dirname }, 'TEMPORAL_TLS_CLIENT_KEY_PATH: must be the path'],
    [{ TEMPORAL_TLS_CLIENT_CERT_DATA: 'PEM' }, 'TEMPORAL_TLS_CLIENT_KEY_PATH: must be set'],
    [{ TEMPORAL_TLS_CLIENT_KEY_DATA: 'PEM' }, 'TEMPORAL_TLS_CLIENT_KEY_PATH: must be set'],
    [
      { TEMPORAL_TLS_SERVER_CA_CERT_DATA: 'PEM', TEMPORAL_TLS_SERVER_CA_CERT_PATH: import.meta.filename },
      'TEMPORAL_TLS_SERVER_CA_CERT_DATA: must not be set beside',
    ],
    [{ TEMPORAL_TLS_DISABLE_HOST_VERIFICATION: 'true' }, 'TEMPORAL_TLS_DISABLE_HOST_VERIFICATION: must be false'],
  ])('refuses %j beside all the others', (variables, complaint) => {
    expect(() => parseEnv({ PORT: 'many', ...variables })).toThrow(complaint);
    expect(() => parseEnv({ PORT: 'many', ...variables })).toThrow('PORT: must be');
  });

  it('says how to get a database when there is none', () => {
    expect(() => databaseUrl(parseEnv({}))).toThrow(/npm start/);
  });

  it('is documented by .env.example, variable by variable', () => {
    const example = readFileSync(join(checkoutRoot, '.env.example'), 'utf8');
    const documented = [...example.matchAll(/^(?:# )?([A-Z][A-Z0-9_]+)=/gm)].map(([, name]) => name);
    expect(new Set(documented)).toEqual(new Set(Object.keys(environmentSchema.shape)));
    expect(documented).toHaveLength(new Set(documented).size);
  });

  it('accepts the values that .env.example shows', () => {
    const example = readFileSync(join(checkoutRoot, '.env.example'), 'utf8');
    const shown = [...example.matchAll(/^# ([A-Z][A-Z0-9_]+)=(.*)$/gm)].map(([, name, value]) => [name, value]);
    expect(() => parseEnv(Object.fromEntries(shown))).not.toThrow();
  });
});

describe('the connection to Temporal', () => {
  const names = ['TEMPORAL_ADDRESS', 'TEMPORAL_TLS', 'TEMPORAL_API_KEY', 'TEMPORAL_TLS_DISABLE_HOST_VERIFICATION'];
  const before = Object.fromEntries(names.map((name) => [name, process.env[name] ?? '']));
  afterEach(() => void Object.assign(process.env, before));

  const tlsOf = (variables: Record<string, string>) => {
    Object.assign(process.env, { TEMPORAL_ADDRESS: 'temporal.example:7233', ...variables });
    return temporalConnectConfig(parseEnv(process.env)).connectionOptions.tls;
  };

  it.each(['true', 'TRUE', '1', 'yes', 'on'])('is by TLS when TEMPORAL_TLS is "%s"', (word) => {
    expect(tlsOf({ TEMPORAL_TLS: word, TEMPORAL_API_KEY: 'secret' })).toBeTruthy();
  });

  it('is by TLS with a key, unless TEMPORAL_TLS says no', () => {
    expect(tlsOf({ TEMPORAL_API_KEY: 'secret' })).toBe(true);
    expect(tlsOf({ TEMPORAL_API_KEY: 'secret', TEMPORAL_TLS: 'no' })).toBe(false);
  });

  it('is not by TLS because hosts would be verified', () => {
    expect(tlsOf({ TEMPORAL_TLS_DISABLE_HOST_VERIFICATION: 'false' })).toBeUndefined();
  });
});
