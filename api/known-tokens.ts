import { hash } from 'node:crypto';
import type { JWTHeaderParameters, JWTVerifyGetKey } from 'jose';

type Key = Awaited<ReturnType<JWTVerifyGetKey>>;

/** A token that was found right: by which key, until when (seconds since 1970), and what it told. */
export interface KnownToken<Told> {
  header: JWTHeaderParameters;
  key: Key;
  expiresAt: number;
  told: Told;
}

/**
 * Tokens whose signature was checked already, by their hash; those used last stay. A token is known for as long as the
 * key set answers with the very key that it was checked by: one that is withdrawn, or a set that was fetched anew, is
 * asked again.
 */
export class KnownTokens<Told> {
  private readonly tokens = new Map<string, KnownToken<Told>>();
  private readonly keys: JWTVerifyGetKey;
  private readonly most: number;

  constructor(keys: JWTVerifyGetKey, most = 10_000) {
    this.keys = keys;
    this.most = most;
  }

  /** What a token told when it was checked; undefined when that was never, or it has to be checked again. */
  async find(token: string, now: number): Promise<Told | undefined> {
    const id = idOf(token);
    const known = this.tokens.get(id);
    if (!known) return undefined;
    const holds = now < known.expiresAt && (await this.keys(known.header, withoutToken)) === known.key;
    this.tokens.delete(id);
    if (!holds) return undefined;
    this.tokens.set(id, known);
    return known.told;
  }

  keep(token: string, known: KnownToken<Told>): void {
    this.tokens.set(idOf(token), known);
    const [oldest] = this.tokens.keys();
    if (this.tokens.size > this.most && oldest !== undefined) this.tokens.delete(oldest);
  }
}

/** Key sets go by the header alone; the token itself is not kept. */
const withoutToken = { payload: '', signature: '' };

const idOf = (token: string): string => hash('sha256', token, 'base64');
