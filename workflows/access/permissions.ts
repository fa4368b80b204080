import type { Actor } from './actor.ts';

/** The product's roles (DOMAIN, *Roles*). */
export const roles = ['admin', 'manager', 'sales_rep', 'support', 'marketing'] as const;
export type Role = (typeof roles)[number];

/**
 * How far a permission reaches: `own` is what is assigned to or owned by the user and what hangs on it, `team` adds
 * that of the members of the user's teams and what nobody owns yet, `all` is the organisation.
 */
export type Scope = 'own' | 'team' | 'all';

type Grants = Partial<Record<Role, Scope>>;

/** The SSO's name for an administrator (`spec/4`). */
export const ssoAdminRole = 'SLYYFOXX_ADMIN';

const everybody = { admin: 'all', manager: 'all', sales_rep: 'all', support: 'all', marketing: 'all' } as const;
const personal = { admin: 'all', manager: 'own', sales_rep: 'own', support: 'own', marketing: 'own' } as const;

/** Who may do what, and on which rows. A role that a line does not name has no such permission. */
export const permissions = {
  // Leads: plain fields by `update`, the process by `work` (its owner's part) and `assign` (a manager's part).
  'leads:read': { admin: 'all', manager: 'all', sales_rep: 'own', marketing: 'all' },
  'leads:read_contact_data': { admin: 'all', manager: 'all', sales_rep: 'own' },
  'leads:capture': { admin: 'all', manager: 'all', sales_rep: 'all' },
  'leads:update': { admin: 'all', manager: 'team', sales_rep: 'own' },
  'leads:work': { admin: 'all', manager: 'team', sales_rep: 'own' },
  'leads:assign': { admin: 'all', manager: 'team' },
  'leads:delete': { admin: 'all', manager: 'team' },

  // Parties: people hang on leads and contacts; accounts, contacts and external references are one book.
  'people:read': { admin: 'all', manager: 'all', sales_rep: 'own', support: 'all' },
  'people:write': { admin: 'all', manager: 'team', sales_rep: 'own' },
  'people:delete': { admin: 'all', manager: 'team' },
  'accounts:read': { admin: 'all', manager: 'all', sales_rep: 'all', support: 'all' },
  'accounts:write': { admin: 'all', manager: 'team', sales_rep: 'own' },
  'accounts:delete': { admin: 'all', manager: 'team' },

  // Engagement: the log is immutable, so `activities:write` only ever adds to it.
  'activities:read': { admin: 'all', manager: 'all', sales_rep: 'own', support: 'all' },
  'activities:write': { admin: 'all', manager: 'all', sales_rep: 'own', support: 'all' },
  'tasks:read': { admin: 'all', manager: 'all', sales_rep: 'own', support: 'own' },
  'tasks:write': { admin: 'all', manager: 'team', sales_rep: 'own', support: 'own' },
  'notes:read': { admin: 'all', manager: 'all', sales_rep: 'own', support: 'all' },
  'notes:write': { admin: 'all', manager: 'team', sales_rep: 'own', support: 'own' },
  'tags:read': everybody,
  // Which tags there are is a matter of the organisation; putting one on a record is everybody's.
  'tags:write': { admin: 'all', manager: 'all' },
  'tags:apply': { admin: 'all', manager: 'team', sales_rep: 'own', support: 'own', marketing: 'own' },
  'timeline:read': { admin: 'all', manager: 'all', sales_rep: 'own', support: 'all' },
  'notifications:read': personal,
  'notifications:write': personal,

  // Tickets: whoever supports works on all of them; sales sees those of its own accounts.
  'tickets:read': { admin: 'all', manager: 'all', sales_rep: 'own', support: 'all' },
  'tickets:create': { admin: 'all', manager: 'all', support: 'all' },
  'tickets:work': { admin: 'all', manager: 'all', support: 'all' },
  'articles:read': { admin: 'all', manager: 'all', sales_rep: 'all', support: 'all' },
  'articles:write': { admin: 'all', manager: 'all', support: 'all' },
  'reports:read': { admin: 'all', manager: 'all', support: 'all' },

  // Configuration: calendars, scoring models, assignment rules, SLA policies, routing rules, feature flags.
  'configuration:read': everybody,
  'configuration:write': { admin: 'all' },

  // Access: organisation, users, teams, roles. Everybody sees colleagues; only administrators change them.
  'access:read': everybody,
  'access:write': { admin: 'all' },

  'audit:read': { admin: 'all', manager: 'all' },
} as const satisfies Record<string, Grants>;

export type Permission = keyof typeof permissions;

/** What a service account may do, by the OAuth scopes of its token; always in the whole organisation. */
export const serviceGrants: ReadonlyMap<string, readonly Permission[]> = new Map([
  ['crm:leads:capture', ['leads:capture']],
  ['crm:tickets:create', ['tickets:create']],
]);

const reach: Record<Scope, number> = { own: 1, team: 2, all: 3 };

/** The widest scope that the roles of a token give for a permission, or null; unknown roles give nothing. */
export function grantedScope(tokenRoles: readonly string[], permission: Permission): Scope | null {
  const grants: Grants = permissions[permission];
  const scopes = roles
    .filter((role) => tokenRoles.includes(role) || (role === 'admin' && tokenRoles.includes(ssoAdminRole)))
    .flatMap((role) => grants[role] ?? []);
  return scopes.toSorted((a, b) => reach[b] - reach[a])[0] ?? null;
}

/** The scope in which an actor holds a permission, or null. Processes act on what was permitted when they began. */
export function scopeOf(actor: Actor, permission: Permission): Scope | null {
  switch (actor.kind) {
    case 'user':
      return grantedScope(actor.roles, permission);
    case 'service':
      return actor.scopes.some((scope) => serviceGrants.get(scope)?.includes(permission)) ? 'all' : null;
    case 'process':
    case 'temporal':
      return 'all';
  }
}
