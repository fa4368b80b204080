import { beforeAll, describe, expect, it } from '@jest/globals';
import { createLocalJWKSet, type JWTVerifyGetKey } from 'jose';
import { createAuthentication } from '../../api/authentication.ts';
import { KnownTokens } from '../../api/known-tokens.ts';
import { audience, issuer, keyPair, type Keys, silent, token } from './support.ts';

const header = { alg: 'ES256', kid: 'test' };
const noInput = { payload: '', signature: '' };
let keys: Keys;

beforeAll(async () => {
  keys = await keyPair();
});

/** A memory of tokens over the key set, with a way to keep one as if it had been checked just now. */
function memory(most?: number, resolve: JWTVerifyGetKey = keys.resolve) {
  const known = new KnownTokens<string>(resolve, most);
  const keep = async (text: string, expiresAt = 1_000) =>
    known.keep(text, { header, key: await resolve(header, noInput), expiresAt, told: `told by ${text}` });
  return { known, keep };
}

describe('known tokens', () => {
  it('are known until they expire', async () => {
    const { known, keep } = memory();
    expect(await known.find('a', 0)).toBeUndefined();
    await keep('a');
    expect(await known.find('a', 999.9)).toBe('told by a');
    expect(await known.find('b', 0)).toBeUndefined();
    expect(await known.find('a', 1_000)).toBeUndefined();
    expect(await known.find('a', 0)).toBeUndefined();
  });

  it('are known only by the key that they were checked with', async () => {
    let set: JWTVerifyGetKey = keys.resolve;
    const { known, keep } = memory(10, (...asked) => set(...asked));
    await keep('a');
    set = createLocalJWKSet(keys.jwks);
    expect(await known.find('a', 0)).toBeUndefined();
    await keep('a');
    set = createLocalJWKSet({ keys: [] });
    await expect(known.find('a', 0)).rejects.toMatchObject({ code: 'ERR_JWKS_NO_MATCHING_KEY' });
  });

  it('are no more than a number, those used last', async () => {
    const { known, keep } = memory(2);
    await keep('a');
    await keep('b');
    await known.find('a', 0);
    await keep('c');
    expect(await known.find('b', 0)).toBeUndefined();
    expect(await known.find('a', 0)).toBe('told by a');
    expect(await known.find('c', 0)).toBe('told by c');
  });
});

describe('authentication', () => {
  it('checks a signature once, and refuses a known token when its key is withdrawn or replaced', async () => {
    let set: JWTVerifyGetKey = keys.resolve;
    const authenticate = createAuthentication({ keys: (...asked) => set(...asked), issuer, audience }, silent);
    const bearer = `Bearer ${await token(keys)}`;
    const first = await authenticate(bearer);
    // The very same answer: it was not made again.
    expect(await authenticate(bearer)).toBe(first);

    set = createLocalJWKSet({ keys: [] });
    await expect(authenticate(bearer)).rejects.toMatchObject({ code: 'unauthenticated' });
    // Another key under the same name.
    set = (await keyPair()).resolve;
    await expect(authenticate(bearer)).rejects.toMatchObject({ code: 'unauthenticated' });
    set = createLocalJWKSet(keys.jwks);
    expect(await authenticate(bearer)).toEqual(first);
  });

  it('is unavailable when the keys of a known token cannot be asked for', async () => {
    let set: JWTVerifyGetKey = keys.resolve;
    const authenticate = createAuthentication({ keys: (...asked) => set(...asked), issuer, audience }, silent);
    const bearer = `Bearer ${await token(keys)}`;
    await authenticate(bearer);
    set = () => Promise.reject(new TypeError('fetch failed'));
    await expect(authenticate(bearer)).rejects.toMatchObject({ code: 'unavailable' });
  });

  it('never takes a token for another with the same beginning', async () => {
    const authenticate = createAuthentication({ keys: keys.resolve, issuer, audience }, silent);
    const bearer = await token(keys);
    await authenticate(`Bearer ${bearer}`);
    // Not its last characters: some of their bits mean nothing.
    const [start, changed, end] = [bearer.slice(0, -20), bearer.at(-20) === 'A' ? 'B' : 'A', bearer.slice(-19)];
    await expect(authenticate(`Bearer ${start}${changed}${end}`)).rejects.toMatchObject({ code: 'unauthenticated' });
  });
});
