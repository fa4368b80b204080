import { allow, type Whose } from '../access/access-rules.ts';
import { User } from '../access/user.ts';
import { identifier, instant, longText, reference, text } from '../model/columns.ts';
import { resource } from '../model/define-resource.ts';
import { entity } from '../model/entity.ts';

const toMe = ({ userId }: Whose) => ({ userId });

/** A notification to one user; the same text leaves as mail through the outbox. */
export const Notification = entity('Notification', 'crm_notifications', {
  key: 'notification_id',
  columns: {
    userId: reference(() => User),
    subjectType: text(40),
    subjectId: identifier(),
    kind: text(80),
    title: text(200),
    body: longText(5_000),
    readAt: instant({ nullable: true }),
  },
  indexes: [{ name: 'user', columns: 'user_id, created_at desc', where: 'deleted_at is null' }],
});

export const notifications = resource(Notification, {
  path: 'notifications',
  title: 'notification',
  creatable: [],
  patchable: ['readAt'],
  removable: true,
  filterable: ['userId', 'kind', 'readAt', 'subjectId'],
  sortable: ['createdAt'],
  read: allow('notifications:read', { own: toMe }),
  write: allow('notifications:write', { own: toMe }),
  feature: 'engagement',
});
