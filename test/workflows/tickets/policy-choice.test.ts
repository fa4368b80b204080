import { describe, expect, it } from '@jest/globals';
import { type TicketFacts } from '../../../workflows/tickets/facts.ts';
import { choosePolicy, type PolicyCandidate } from '../../../workflows/tickets/policy-choice.ts';

const facts: TicketFacts = {
  priority: 'P1',
  channel: 'email',
  category: '',
  subject: 'The invoice is wrong',
  skills: ['billing'],
  account: '',
  segment: '',
  industry: '',
  accountType: '',
  emailDomain: 'example.com',
  country: '',
};

const policy = (name: string, position: number, when: string): PolicyCandidate => ({
  id: `01990000-0000-7000-8000-00000000000${name.length}`,
  version: 3,
  name,
  position,
  when,
});

describe('the choice of a policy', () => {
  it('is the first by position whose condition holds; what comes after is not asked', () => {
    const { policy: chosen, tried } = choosePolicy(
      [
        policy('all', 30, 'true'),
        policy('phone', 10, 'channel == "phone"'),
        policy('urgent', 20, 'priority == "P1" && "billing" in skills'),
      ],
      facts,
    );
    expect(chosen?.name).toBe('urgent');
    expect(tried.map(({ name, version, matched }) => [name, version, matched])).toEqual([
      ['phone', 3, false],
      ['urgent', 3, true],
    ]);
    for (const { reason } of tried) expect(reason).not.toBe('');
  });

  it('goes by identifier where positions are the same', () => {
    const twins = [policy('second', 10, 'true'), policy('first', 10, 'true')];
    expect(choosePolicy(twins, facts).policy?.name).toBe('first');
  });

  it('is none where no condition holds, with all that were asked', () => {
    const { policy: chosen, tried } = choosePolicy(
      [policy('web', 10, 'channel == "web"'), policy('chat', 20, 'channel == "chat"')],
      facts,
    );
    expect([chosen, tried.map(({ name }) => name)]).toEqual([null, ['web', 'chat']]);
  });

  it('passes over a condition that cannot be read', () => {
    const { policy: chosen, tried } = choosePolicy(
      [policy('broken', 10, 'priority =='), policy('all', 20, 'true')],
      facts,
    );
    expect([chosen?.name, tried[0]?.matched]).toEqual(['all', false]);
  });
});
