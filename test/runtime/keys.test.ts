import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { createLocalJWKSet, jwtVerify } from 'jose';
import { loadOrCreateSigningKey, publicJwks, signToken } from '../../runtime/keys.ts';

const dataDir = mkdtempSync(join(tmpdir(), 'crm-keys-'));
afterAll(() => rmSync(dataDir, { recursive: true }));

const subject = {
  issuer: 'durable-crm',
  audience: 'crm',
  userId: '01890000-0000-7000-8000-000000000001',
  organizationId: '01890000-0000-7000-8000-000000000002',
  roles: ['manager'],
  validSeconds: 60,
};

describe('the signing key of an installation', () => {
  it('is made once, also when many ask at the same time, and is for its owner alone', async () => {
    const keys = await Promise.all(Array.from({ length: 5 }, () => loadOrCreateSigningKey(dataDir)));
    expect(new Set(keys.map(({ keyId }) => keyId)).size).toBe(1);
    expect(statSync(join(dataDir, 'keys', 'signing-key.json')).mode & 0o077).toBe(0);
  });

  it('signs tokens that its published keys verify, with the claims the API expects', async () => {
    const key = await loadOrCreateSigningKey(dataDir);
    const { payload, protectedHeader } = await jwtVerify(
      await signToken(key, subject),
      createLocalJWKSet(publicJwks(key)),
      {
        issuer: 'durable-crm',
        audience: 'crm',
        algorithms: ['ES256'],
      },
    );
    expect(protectedHeader.kid).toBe(key.keyId);
    expect(payload).toMatchObject({ sub: subject.userId, organization_id: subject.organizationId, roles: ['manager'] });
    expect(Number(payload.exp) - Number(payload.iat)).toBe(60);
  });

  it('never publishes its secret part', async () => {
    expect(JSON.stringify(publicJwks(await loadOrCreateSigningKey(dataDir)))).not.toContain('"d"');
  });

  it('says what to do about one that a power cut has left half-written', async () => {
    const other = join(dataDir, 'other');
    mkdirSync(join(other, 'keys'), { recursive: true });
    for (const left of ['', '{"kty": "EC"', '{"kty": "EC"}']) {
      writeFileSync(join(other, 'keys', 'signing-key.json'), left);
      await expect(loadOrCreateSigningKey(other)).rejects.toThrow('remove it, and a new one is made');
    }
  });
});
