import { describe, expect, it } from '@jest/globals';
import { createArrivals, mostPerHour, organizationLimit } from '../../../api/mail/arrivals.ts';
import { mailSource, type TestMail } from './mails.ts';
import { growth, steepest } from '../../support/growth.ts';

const problem = expect.objectContaining({ code: 'rate_limited', retryAfterSeconds: expect.any(Number) });

describe('counting mails as they arrive', () => {
  const setUp = () => {
    const admit = createArrivals('support@{organization}.example');
    return (mail: TestMail, count = 1) => {
      for (let n = 0; n < count; n++) admit(mailSource(mail));
    };
  };

  it.each([
    ['another name', 'Somebody Else <ADA@example.com>'],
    ['a comment', 'ada@example.com (at home)'],
    ['a folded field', 'Ada\r\n <ada@example.com>'],
    ['a second sender', 'ada@example.com, eve@example.com'],
  ])('knows a sender by the address, whatever stands beside it: %s', (_what, from) => {
    const arrive = setUp();
    arrive({}, mostPerHour);
    expect(() => arrive({ from })).toThrow(problem);
  });

  it('counts each sender for each organisation', () => {
    const arrive = setUp();
    arrive({}, mostPerHour);
    expect(() => arrive({})).toThrow(problem);
    arrive({ from: 'grace@example.com' });
    arrive({ to: 'support@globex.example' });
    arrive({ headers: ['Delivered-To: support@globex.example'] });
  });

  it('counts what comes to one organisation, whoever sends it', () => {
    const arrive = setUp();
    for (let n = 0; n < organizationLimit.burst; n++) arrive({ from: `${n}@example.com` });
    expect(() => arrive({ from: 'grace@example.com' })).toThrow(problem);
    arrive({ from: 'grace@example.com', to: 'support@globex.example' });
  });

  it('takes no time over a header without end', () => {
    for (const [start, part] of [
      ['', '\r\n '],
      ['', 'from:'],
      ['To: ', '"('],
      ['', 'a:\n'],
    ] as const) {
      const read = (size: number) =>
        createArrivals('support@{organization}.example')(Buffer.from(start + part.repeat(size)));
      expect([part, growth(read, 10_000) < steepest]).toEqual([part, true]);
    }
  });
});
