import { describe, expect, it } from '@jest/globals';
import { parseEnvelope } from '../../../workflows/processes/envelope.ts';

const organizationId = '01990000-0000-7000-8000-000000000001';
const actor = { kind: 'user', organizationId, userId: organizationId, roles: ['admin'] };
const envelope = { commandId: organizationId, receivedAt: '2026-03-02T09:00:00.000Z', actor };

describe('an envelope', () => {
  it.each([
    actor,
    { kind: 'service', organizationId, clientId: 'website', scopes: ['crm:leads:capture'] },
    { kind: 'process', organizationId, process: 'lead', recordId: organizationId },
    { kind: 'temporal', organizationId },
  ])('says that a $kind acts', (who) => {
    expect(parseEnvelope('touch', { ...envelope, actor: who })).toEqual({ payload: { ...envelope, actor: who } });
  });

  it('carries identifiers and nothing else', () => {
    expect(parseEnvelope('touch', { ...envelope, actor: { ...actor, email: 'ann@example.com' } })).toMatchObject({
      refusal: { code: 'invalid', errors: [{ path: 'actor' }] },
    });
    expect(parseEnvelope('touch', { ...envelope, receivedAt: 'yesterday' })).toMatchObject({
      refusal: { errors: [{ path: 'receivedAt' }] },
    });
  });
});
