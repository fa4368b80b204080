import { errors, jwtVerify, type JWTPayload, type JWTVerifyGetKey } from 'jose';
import type { Logger } from 'pino';
import { z } from 'zod';
import type { SeenToken } from '../db/access/access-log.queries.ts';
import type { Actor } from '../db/access/actor.ts';
import { Problem } from '../db/model/problem.ts';
import { uuid } from '../workflows/processes/record-id.ts';
import { type KnownToken, KnownTokens } from './known-tokens.ts';

export interface TokenRules {
  /** Public keys: a remote JWKS in production, the installation's own otherwise. */
  keys: JWTVerifyGetKey;
  issuer: string;
  audience: string;
}

/** Who sends a request; `token` is absent when it has no `jti`. */
export interface Caller {
  actor: Actor;
  token: SeenToken | null;
}

/** Tells who sends a request, by its `Authorization` header. */
export type Authenticate = (authorization: string | undefined) => Promise<Caller>;

// Asymmetric algorithms only, named here and never by the token (RFC 8725 §3.1).
const algorithms = ['ES256', 'RS256'];
const clockToleranceSeconds = 5;

const visibleText = z.string().regex(/^[\x21-\x7e]{1,100}$/);
const claims = z.object({
  sub: visibleText,
  organization_id: uuid(),
  roles: z.array(z.string().max(100)).max(100).optional(),
  scope: z.string().max(2_000).optional(),
  client_id: visibleText.optional(),
});

/**
 * Checks bearer tokens (RFC 6750, RFC 8725): signature, issuer, audience, expiry, claims. Every refused token gets the
 * same Problem `unauthenticated`, the cause goes to the log; keys that cannot be fetched are `unavailable`.
 */
export function createAuthentication({ keys, issuer, audience }: TokenRules, log: Logger): Authenticate {
  const known = new KnownTokens<Caller>(keys);
  return async (authorization) => {
    const token = /^Bearer +([A-Za-z0-9._~+/=-]+) *$/i.exec(authorization ?? '')?.[1];
    if (!token) throw refused(log, authorization === undefined ? 'no token' : 'not a bearer token');
    try {
      return (await known.find(token, Date.now() / 1_000)) ?? (await check(token));
    } catch (error) {
      if (error instanceof Problem) throw error;
      if (error instanceof errors.JOSEError && !keysAreAway(error)) throw refused(log, error.code);
      throw new Problem('unavailable', 'Tokens cannot be checked at the moment. Try again shortly.', [], {
        cause: error,
      });
    }
  };

  async function check(token: string): Promise<Caller> {
    let checkedBy: Pick<KnownToken<Caller>, 'header' | 'key'> | undefined;
    const findKey: JWTVerifyGetKey = async (header, input) => {
      const key = await keys(header, input);
      checkedBy = { header, key };
      return key;
    };
    const { payload } = await jwtVerify(token, findKey, {
      algorithms,
      issuer,
      audience,
      requiredClaims: ['exp', 'sub'],
      clockTolerance: clockToleranceSeconds,
    });
    const actor = actorOf(payload) ?? refuse(log, 'claims');
    const caller = { actor, token: seenToken(payload) };
    const { exp = 0 } = payload;
    if (checkedBy) known.keep(token, { ...checkedBy, expiresAt: exp + clockToleranceSeconds, told: caller });
    return caller;
  }
}

/** The actor that a token's claims describe, or null. Roles make a user, scopes alone a service account. */
function actorOf(payload: JWTPayload): Actor | null {
  const parsed = claims.safeParse(payload);
  if (!parsed.success) return null;
  const { sub, organization_id: organizationId, roles, scope, client_id: clientId } = parsed.data;
  if (roles === undefined && scope !== undefined) {
    return { kind: 'service', organizationId, clientId: clientId ?? sub, scopes: scope.split(' ').filter(Boolean) };
  }
  const userId = uuid().safeParse(sub);
  return userId.success ? { kind: 'user', organizationId, userId: userId.data, roles: roles ?? [] } : null;
}

function seenToken({ jti, iat, exp = 0 }: JWTPayload): SeenToken | null {
  const tokenId = visibleText.safeParse(jti);
  if (!tokenId.success) return null;
  return {
    tokenId: tokenId.data,
    issuedAt: iat === undefined ? null : new Date(iat * 1_000),
    expiresAt: new Date(exp * 1_000),
  };
}

function keysAreAway(error: errors.JOSEError): boolean {
  return error instanceof errors.JWKSTimeout || error.code === 'ERR_JOSE_GENERIC';
}

function refuse(log: Logger, cause: string): never {
  throw refused(log, cause);
}

/** What every refused token is answered; why goes to the log alone. */
export function refused(log: Logger, cause: string): Problem {
  log.info({ cause }, 'token refused');
  return new Problem('unauthenticated', 'Send a valid access token: Authorization: Bearer …');
}
