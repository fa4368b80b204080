import { describe, expect, it } from '@jest/globals';
import { grantedScope, permissions, scopeOf, type Permission } from '../../../workflows/access/permissions.ts';

const organizationId = '01990000-0000-7000-8000-000000000001';
const all = Object.keys(permissions) as Permission[];

describe('grantedScope', () => {
  it.each([
    { roles: ['sales_rep'], permission: 'leads:read', scope: 'own' },
    { roles: ['manager'], permission: 'leads:read', scope: 'all' },
    { roles: ['manager'], permission: 'leads:assign', scope: 'team' },
    { roles: ['sales_rep', 'manager'], permission: 'leads:work', scope: 'team' },
    { roles: ['manager', 'admin'], permission: 'leads:work', scope: 'all' },
    { roles: ['marketing'], permission: 'leads:read', scope: 'all' },
    { roles: ['marketing'], permission: 'leads:read_contact_data', scope: null },
    { roles: ['support'], permission: 'leads:read', scope: null },
    { roles: ['support'], permission: 'accounts:read', scope: 'all' },
    { roles: ['manager'], permission: 'configuration:write', scope: null },
    { roles: [], permission: 'tags:read', scope: null },
  ] as const)('$roles have $permission in the scope $scope', ({ roles, permission, scope }) => {
    expect(grantedScope(roles, permission)).toBe(scope);
  });

  it('gives the SSO administrator everything an admin has', () => {
    for (const permission of all) {
      expect(grantedScope(['SLYYFOXX_ADMIN'], permission)).toBe(grantedScope(['admin'], permission));
      expect(grantedScope(['admin'], permission)).not.toBeNull();
    }
  });

  it('gives nothing for a role that it does not know, whatever its name', () => {
    expect(grantedScope(['constructor', 'toString', '__proto__', 'Admin'], 'leads:read')).toBeNull();
  });
});

describe('scopeOf', () => {
  it('gives a service account what the scopes of its token name, in the whole organisation', () => {
    const website = {
      kind: 'service',
      organizationId,
      clientId: 'website',
      scopes: ['openid', 'crm:leads:capture'],
    } as const;
    expect(scopeOf(website, 'leads:capture')).toBe('all');
    expect(scopeOf(website, 'leads:read')).toBeNull();
    expect(scopeOf({ ...website, scopes: ['constructor'] }, 'leads:capture')).toBeNull();
  });

  it('asks a user for roles, and lets processes and the Temporal CLI act', () => {
    const user = { kind: 'user', organizationId, userId: organizationId, roles: ['sales_rep'] } as const;
    expect(scopeOf(user, 'leads:work')).toBe('own');
    expect(scopeOf({ kind: 'process', organizationId, process: 'lead', recordId: organizationId }, 'leads:work')).toBe(
      'all',
    );
    expect(scopeOf({ kind: 'temporal', organizationId }, 'leads:work')).toBe('all');
  });
});
