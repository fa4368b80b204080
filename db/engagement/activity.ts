import { activityTypes } from '../../workflows/engagement/activity-types.ts';
import { allow, onReadableSubject } from '../access/access-rules.ts';
import { User } from '../access/user.ts';
import { choice, instant, integer, longText, reference } from '../model/columns.ts';
import { resource } from '../model/define-resource.ts';
import { entity } from '../model/entity.ts';
import { subject } from './subject.ts';

/** Something that was done with a customer: immutable once logged (spec/4 activity log). */
export const Activity = entity('Activity', 'crm_activities', {
  key: 'activity_id',
  columns: {
    ...subject(),
    activityType: choice(activityTypes),
    direction: choice(['inbound', 'outbound'], { nullable: true }),
    userId: reference(() => User, { nullable: true }),
    happenedAt: instant(),
    durationSeconds: integer(0, 864_000, { nullable: true }),
    notes: longText(20_000, { nullable: true }),
  },
  search: ['notes'],
  indexes: [{ name: 'subject', columns: 'subject_id, happened_at desc', where: 'deleted_at is null' }],
});

export const activities = resource(Activity, {
  path: 'activities',
  title: 'activity',
  creatable: [],
  patchable: [],
  removable: false,
  filterable: ['subjectType', 'subjectId', 'activityType', 'userId', 'happenedAt'],
  sortable: ['happenedAt', 'createdAt'],
  expandable: { user: 'userId' },
  read: allow('activities:read', { own: onReadableSubject }),
  write: allow('activities:write', { own: onReadableSubject }),
  feature: 'engagement',
});
