import { describe, expect, it } from '@jest/globals';
import { ruleWarnings } from '../../../workflows/assignment/rules.ts';
import { leadConditions } from '../../../workflows/leads/conditions.ts';
import { rule } from './teams.ts';

describe('warnings about rules', () => {
  it('name what can never be reached', () => {
    const rules = [
      rule({ id: '1', position: 1, name: 'Germany', when: 'country == "DE"' }),
      rule({ id: '2', position: 2, name: 'Germany again', when: "country=='DE'" }),
      rule({ id: '3', position: 3, name: 'Never', when: 'score > 5 && false' }),
      rule({ id: '4', position: 4, name: 'Broken', when: 'nation == "DE"' }),
      rule({ id: '5', position: 5, name: 'Everyone' }),
      rule({ id: '6', position: 6, name: 'Too late', when: 'country == "FR"' }),
    ];
    expect(ruleWarnings(leadConditions, rules.toReversed())).toEqual([
      { ruleId: '2', message: '"Germany again" is never reached: "Germany" has the same condition before it.' },
      { ruleId: '3', message: '"Never" matches no lead: its condition is always false.' },
      { ruleId: '4', message: expect.stringContaining('"Broken" matches no lead: "nation" is no fact of a lead') },
      { ruleId: '6', message: '"Too late" is never reached: "Everyone" matches every lead before it.' },
    ]);
    expect(ruleWarnings(leadConditions, [rule({})])).toEqual([]);
  });
});
