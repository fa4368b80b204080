import { choice, instant, text } from '../model/columns.ts';
import { resource } from '../model/define-resource.ts';
import { entity } from '../model/entity.ts';
import { allow } from './access-rules.ts';

/** Something that an auditor of access asks for: a session that began, a request that was refused for its rights. */
export const AccessEvent = entity('AccessEvent', 'core_audit_events', {
  key: 'audit_event_id',
  columns: {
    kind: choice(['session_started', 'access_refused']),
    actor: text(120),
    /** Method and route pattern, never a query or a body. */
    route: text(200),
    requestId: text(100, { nullable: true }),
    happenedAt: instant(),
  },
  indexes: [{ name: 'actor', columns: 'actor, happened_at desc' }],
});

export const accessEvents = resource(AccessEvent, {
  path: 'access-events',
  title: 'access event',
  creatable: [],
  patchable: [],
  filterable: ['kind', 'actor', 'route', 'happenedAt'],
  sortable: ['happenedAt', 'createdAt'],
  read: allow('audit:read'),
  write: () => false,
  feature: 'access',
});
