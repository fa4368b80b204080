import { beforeAll, describe, expect, it } from '@jest/globals';
import { base64url, createRemoteJWKSet } from 'jose';
import { type Authenticate, createAuthentication } from '../../api/authentication.ts';
import { audience, issuer, keyPair, type Keys, silent, token } from './support.ts';

const organizationId = '019aa000-0000-7000-8000-000000000001';
const userId = '019aa000-0000-7000-8000-000000000002';

describe('authentication', () => {
  let keys: Keys;
  let authenticate: Authenticate;

  beforeAll(async () => {
    keys = await keyPair();
    authenticate = createAuthentication({ keys: keys.resolve, issuer, audience }, silent);
  });

  it('makes a user of a token with roles', async () => {
    const bearer = await token(keys, { sub: userId, organizationId, roles: ['manager', 'sales_rep'] });
    await expect(authenticate(`Bearer ${bearer}`)).resolves.toMatchObject({
      actor: { kind: 'user', organizationId, userId, roles: ['manager', 'sales_rep'] },
    });
  });

  it('makes a service account of a token with scopes alone', async () => {
    const bearer = await token(keys, { sub: 'website', organizationId, scope: 'crm:leads:capture other' });
    await expect(authenticate(`bearer ${bearer}`)).resolves.toMatchObject({
      actor: { kind: 'service', organizationId, clientId: 'website', scopes: ['crm:leads:capture', 'other'] },
    });
  });

  it('refuses every other token with the same words', async () => {
    const other = await keyPair();
    const valid = await token(keys, { sub: userId, organizationId });
    const [header = '', payload = '', signature = ''] = valid.split('.');
    const unsigned = `${base64url.encode(JSON.stringify({ alg: 'none' }))}.${payload}.`;
    const altered = `${header}.${base64url.encode(JSON.stringify({ ...JSON.parse(new TextDecoder().decode(base64url.decode(payload))), roles: ['admin', 'x'] }))}.${signature}`;
    const refused = [
      undefined,
      '',
      'Basic YTpi',
      'Bearer',
      'Bearer nonsense',
      `Bearer ${unsigned}`,
      `Bearer ${altered}`,
      `Bearer ${await token(other, { sub: userId, organizationId })}`,
      `Bearer ${await token(keys, { sub: userId, organizationId, expiresIn: -60 })}`,
      `Bearer ${await token(keys, { sub: userId, organizationId, expiresIn: null })}`,
      `Bearer ${await token(keys, { sub: userId, organizationId, audience: 'other' })}`,
      `Bearer ${await token(keys, { sub: userId, organizationId, issuer: 'other' })}`,
      `Bearer ${await token(keys, { sub: 'no uuid', organizationId })}`,
      `Bearer ${await token(keys, { sub: userId, organizationId: 'no uuid' })}`,
      `Bearer ${valid} ${valid}`,
    ];
    const problems = await Promise.all(
      refused.map((header) =>
        authenticate(header).then(
          () => 'admitted',
          (error: unknown) => error,
        ),
      ),
    );
    for (const problem of problems) {
      expect(problem).toMatchObject({
        code: 'unauthenticated',
        message: 'Send a valid access token: Authorization: Bearer …',
      });
    }
  });

  it('refuses an algorithm that is not on the list, whatever key there is', async () => {
    const other = await keyPair('ES384');
    const bearer = await token(other, { sub: userId, organizationId, algorithm: 'ES384' });
    const lenient = createAuthentication({ keys: other.resolve, issuer, audience }, silent);
    await expect(lenient(`Bearer ${bearer}`)).rejects.toMatchObject({ code: 'unauthenticated' });
  });

  it('takes RS256', async () => {
    const other = await keyPair('RS256');
    const bearer = await token(other, { sub: userId, organizationId, algorithm: 'RS256' });
    const check = createAuthentication({ keys: other.resolve, issuer, audience }, silent);
    await expect(check(`Bearer ${bearer}`)).resolves.toMatchObject({ actor: { userId } });
  });

  it('is unavailable, not refused, when the keys cannot be fetched', async () => {
    const away = createAuthentication(
      { keys: createRemoteJWKSet(new URL('http://127.0.0.1:1/jwks.json')), issuer, audience },
      silent,
    );
    const bearer = await token(keys, { sub: userId, organizationId });
    await expect(away(`Bearer ${bearer}`)).rejects.toMatchObject({ code: 'unavailable' });
  });
});
