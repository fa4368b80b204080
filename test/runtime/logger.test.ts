import { describe, expect, it } from '@jest/globals';
import { describeError, withoutPersonalData } from '../../runtime/logger.ts';

describe('what is logged of an error', () => {
  it('masks mail addresses and telephone numbers', () => {
    expect(withoutPersonalData('cannot reach <rita@acme.example> or +49 30 1234567 at 2026-11-21')).toBe(
      'cannot reach <[mail]> or [number] at 2026-11-21',
    );
  });

  it('keeps the codes of a database error, never its text, which holds row values', () => {
    const error = Object.assign(new Error('Key (email)=(rita@acme.example) already exists.'), {
      code: '23505',
      constraint: 'crm_people_email',
    });
    const described = describeError(new Error('the lead could not be stored', { cause: error }));
    expect(described).toMatchObject({
      message: 'the lead could not be stored',
      cause: { code: '23505', constraint: 'crm_people_email' },
    });
    expect(JSON.stringify(described)).not.toMatch(/rita|already exists/);
  });

  it('says no more than the type of what is no error', () => {
    expect(describeError({ email: 'rita@acme.example' })).toEqual({ type: 'object' });
  });
});
