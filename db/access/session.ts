import { identifier, instant, text } from '../model/columns.ts';
import { resource } from '../model/define-resource.ts';
import { entity } from '../model/entity.ts';
import { allow } from './access-rules.ts';

/** A token of the SSO in use: written when it is first seen, and again while it is used. */
export const Session = entity('Session', 'core_sessions', {
  key: 'session_id',
  columns: {
    userId: identifier(),
    /** The token's `jti`. */
    tokenId: text(200),
    issuedAt: instant({ nullable: true }),
    expiresAt: instant(),
    lastSeenAt: instant(),
  },
  uniques: [['tokenId']],
  indexes: [{ name: 'user', columns: 'user_id, last_seen_at desc' }],
});

export const sessions = resource(Session, {
  path: 'sessions',
  title: 'session',
  creatable: [],
  patchable: [],
  filterable: ['userId', 'expiresAt', 'lastSeenAt'],
  sortable: ['lastSeenAt', 'createdAt'],
  read: allow('audit:read'),
  write: () => false,
  feature: 'access',
});
