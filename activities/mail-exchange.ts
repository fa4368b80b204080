import { Resolver } from 'node:dns/promises';
import { setTimeout as pause } from 'node:timers/promises';
import type { EmailStatus } from '../workflows/leads/facts.ts';
import type { MailExchange } from './ports.ts';

/** Longest wait of a caller. The look-up goes on behind it, for the next one who asks. */
const boundMilliseconds = 300;
const lifetimeMilliseconds = { accepts: 3_600_000, rejects: 3_600_000, unknown: 30_000 } as const;
/** After so many time-outs in a row DNS counts as away, and nobody waits for it for a while. */
const silencesUntilAway = 3;
const awayMilliseconds = 10_000;

export interface MailExchangeOptions {
  resolver?: Pick<Resolver, 'resolveMx' | 'resolve4' | 'resolve6'>;
  /** Most domains remembered; the least recently asked for goes first. */
  capacity?: number;
}

/** Looks mail exchangers up in DNS; answers are remembered, and each domain is looked up once at a time. */
export function createMailExchange(options: MailExchangeOptions = {}): MailExchange {
  const { resolver = new Resolver({ timeout: 2_000, tries: 1 }), capacity = 10_000 } = options;
  const known = new Map<string, { status: EmailStatus; until: number }>();
  const running = new Map<string, Promise<EmailStatus>>();
  let silences = 0;
  let awayUntil = 0;

  function remember(domain: string, status: EmailStatus): EmailStatus {
    known.delete(domain);
    known.set(domain, { status, until: performance.now() + lifetimeMilliseconds[status] });
    for (const oldest of known.keys()) {
      if (known.size <= capacity) break;
      known.delete(oldest);
    }
    return status;
  }

  function recall(domain: string): EmailStatus | undefined {
    const entry = known.get(domain);
    if (!entry) return undefined;
    known.delete(domain);
    if (entry.until <= performance.now()) return undefined;
    known.set(domain, entry);
    return entry.status;
  }

  function resolveOnce(domain: string): Promise<EmailStatus> {
    const lookup = running.get(domain) ?? resolve(domain).finally(() => running.delete(domain));
    running.set(domain, lookup);
    return lookup;
  }

  async function resolve(domain: string): Promise<EmailStatus> {
    const status = await mailStatus(resolver, domain);
    if (status !== 'unknown') silences = 0;
    return remember(domain, status);
  }

  return {
    async lookup(domain) {
      const name = domain.toLowerCase();
      const remembered = recall(name);
      if (remembered !== undefined) return remembered;
      if (performance.now() < awayUntil) return 'unknown';
      const waited = new AbortController();
      const silence = pause(boundMilliseconds, null, { signal: waited.signal }).catch(() => null);
      const status = await Promise.race([resolveOnce(name), silence]);
      waited.abort();
      if (status !== null) return status;
      if (++silences >= silencesUntilAway) awayUntil = performance.now() + awayMilliseconds;
      return remember(name, 'unknown');
    },
  };
}

/** RFC 5321 §5.1: mail goes to the MX records, without any to the address itself; a null MX (RFC 7505) takes none. */
async function mailStatus(
  resolver: NonNullable<MailExchangeOptions['resolver']>,
  domain: string,
): Promise<EmailStatus> {
  try {
    const exchangers = await resolver.resolveMx(domain);
    return exchangers.some(({ exchange }) => exchange !== '' && exchange !== '.') ? 'accepts' : 'rejects';
  } catch (error) {
    if (hasCode(error, 'ENOTFOUND')) return 'rejects';
    if (!hasCode(error, 'ENODATA')) return 'unknown';
  }
  const addresses = await Promise.allSettled([resolver.resolve4(domain), resolver.resolve6(domain)]);
  if (addresses.some(({ status }) => status === 'fulfilled')) return 'accepts';
  const saysNone = addresses.every((one) => one.status === 'rejected' && hasCode(one.reason, 'ENODATA'));
  return saysNone ? 'rejects' : 'unknown';
}

function hasCode(error: unknown, code: string): boolean {
  return (error as NodeJS.ErrnoException | null)?.code === code;
}
