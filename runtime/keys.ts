import { randomUUID } from 'node:crypto';
import { existsSync, linkSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { calculateJwkThumbprint, exportJWK, generateKeyPair, importJWK, SignJWT } from 'jose';
import type { CryptoKey, JSONWebKeySet, JWK } from 'jose';
import { readStateFile } from './state-file.ts';

const algorithm = 'ES256';

/** The key pair that signs the tokens of this installation; `publicJwk` holds nothing secret. */
export type SigningKey = { privateKey: CryptoKey; publicJwk: JWK; keyId: string };

/** Who a token is for, and how long it holds. */
export type TokenSubject = {
  issuer: string;
  audience: string;
  userId: string;
  organizationId: string;
  roles: readonly string[];
  validSeconds: number;
};

/** The key in `keys/` of the data directory, made on first use. Safe when API and command line ask at the same time. */
export async function loadOrCreateSigningKey(dataDir: string): Promise<SigningKey> {
  const file = join(dataDir, 'keys', 'signing-key.json');
  if (!existsSync(file)) await createKeyFile(file);
  const jwk = readStateFile<JWK>(file);
  const privateKey = jwk && (await importJWK(jwk, algorithm).catch(() => undefined));
  if (!jwk || !privateKey || privateKey instanceof Uint8Array)
    throw new Error(`${file} does not hold an ES256 key: remove it, and a new one is made.`);
  const { d: _secret, ...publicPart } = jwk;
  return { privateKey, publicJwk: publicPart, keyId: jwk.kid ?? '' };
}

/** The JWK set that `/.well-known/jwks.json` serves. */
export function publicJwks(key: SigningKey): JSONWebKeySet {
  return { keys: [key.publicJwk] };
}

/** A signed JWT with the claims that the API expects: `sub`, `organization_id`, `roles`, `iss`, `aud`, `jti`, `iat`, `exp`. */
export function signToken(key: SigningKey, subject: TokenSubject): Promise<string> {
  return new SignJWT({ organization_id: subject.organizationId, roles: subject.roles })
    .setProtectedHeader({ alg: algorithm, kid: key.keyId, typ: 'JWT' })
    .setSubject(subject.userId)
    .setIssuer(subject.issuer)
    .setAudience(subject.audience)
    .setJti(randomUUID())
    .setIssuedAt()
    .setExpirationTime(`${subject.validSeconds}s`)
    .sign(key.privateKey);
}

async function createKeyFile(file: string): Promise<void> {
  const { privateKey, publicKey } = await generateKeyPair(algorithm, { extractable: true });
  const kid = await calculateJwkThumbprint(await exportJWK(publicKey));
  const jwk = { ...(await exportJWK(privateKey)), kid, alg: algorithm, use: 'sig' };
  const draft = `${file}.${process.pid}`;
  mkdirSync(join(file, '..'), { recursive: true, mode: 0o700 });
  writeFileSync(draft, JSON.stringify(jwk), { mode: 0o600 });
  try {
    // Unlike a rename, a link does not replace the key that another process has made in the meantime.
    linkSync(draft, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    rmSync(draft);
  }
}
