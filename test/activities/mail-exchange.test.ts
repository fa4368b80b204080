import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Resolver } from 'node:dns/promises';
import { createMailExchange } from '../../activities/mail-exchange.ts';
import type { MailExchange } from '../../activities/ports.ts';
import { startDns, type Zone } from './dns-server.ts';

const zone: Zone = {
  'mail.example': { mx: ['mx1.mail.example', 'mx2.mail.example'] },
  'null.example': { mx: ['.'] },
  'web.example': { a: '192.0.2.1' },
  'six.example': { aaaa: '20010db8000000000000000000000001' },
  'empty.example': {},
  'broken.example': { answer: 'servfail' },
  'slow1.example': { answer: 'silent' },
  'slow2.example': { answer: 'silent' },
  'slow3.example': { answer: 'silent' },
};
let dns: Awaited<ReturnType<typeof startDns>>;
let resolver: Resolver;
let exchange: MailExchange;

beforeAll(async () => {
  dns = await startDns(zone);
});
afterAll(() => dns?.close());
beforeEach(() => {
  dns.questions.length = 0;
  resolver = new Resolver({ timeout: 1_000, tries: 1 });
  resolver.setServers([dns.address]);
  exchange = createMailExchange({ resolver });
});

afterEach(() => resolver.cancel());

describe('a domain', () => {
  it.each([
    ['mail.example', 'accepts', 'has mail exchangers'],
    ['null.example', 'rejects', 'has a null MX (RFC 7505)'],
    ['web.example', 'accepts', 'has an IPv4 address alone (RFC 5321 §5.1)'],
    ['six.example', 'accepts', 'has an IPv6 address alone'],
    ['empty.example', 'rejects', 'has neither exchanger nor address'],
    ['nowhere.example', 'rejects', 'does not exist'],
    ['broken.example', 'unknown', 'has a broken server'],
  ])('%s: %s, since it %s', async (domain, status) => {
    await expect(exchange.lookup(domain)).resolves.toBe(status);
  });

  it.each(['', '.', 'not a domain', 'a..b', `${'x'.repeat(64)}.example`, '\u0000'])(
    '%j does not take mail, and breaks nothing',
    async (domain) => {
      expect(['unknown', 'rejects']).toContain(await exchange.lookup(domain));
    },
  );
});

describe('look-ups', () => {
  it('are remembered, whatever the case of the domain', async () => {
    await exchange.lookup('mail.example');
    await exchange.lookup('Mail.EXAMPLE');
    expect(dns.questions).toEqual(['mail.example mx']);
  });

  it('of one domain happen once at a time', async () => {
    const all = await Promise.all(Array.from({ length: 50 }, () => exchange.lookup('mail.example')));
    expect(new Set(all)).toEqual(new Set(['accepts']));
    expect(dns.questions).toEqual(['mail.example mx']);
  });

  it('forget the domain that was asked for the longest time ago', async () => {
    exchange = createMailExchange({ resolver, capacity: 2 });
    for (const domain of ['mail.example', 'null.example', 'mail.example', 'nowhere.example'])
      await exchange.lookup(domain);
    dns.questions.length = 0;
    await exchange.lookup('mail.example');
    await exchange.lookup('null.example');
    expect(dns.questions).toEqual(['null.example mx']);
  });

  it('do not make anybody wait, and stop asking a DNS that is silent', async () => {
    for (const domain of ['slow1.example', 'slow2.example', 'slow3.example'])
      expect(await exchange.lookup(domain)).toBe('unknown');
    expect(await exchange.lookup('mail.example')).toBe('unknown');
    expect(await exchange.lookup('slow1.example')).toBe('unknown');
    expect(dns.questions).not.toContain('mail.example mx');
  });
});
