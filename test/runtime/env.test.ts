import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import {
  checkoutRoot,
  databaseUrl,
  deploymentVersion,
  environmentSchema,
  InvalidEnvironment,
  parseEnv,
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
