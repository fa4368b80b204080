import { z } from 'zod';
import { allow, onReadableSubject } from '../access/access-rules.ts';
import { identifier, instant, json, text } from '../model/columns.ts';
import { resource } from '../model/define-resource.ts';
import { entity } from '../model/entity.ts';

/** One event in the unified stream of a record: written in the transaction of what happened. */
export const TimelineEntry = entity('TimelineEntry', 'crm_timeline', {
  key: 'timeline_id',
  columns: {
    subjectType: text(40),
    subjectId: identifier(),
    /** `{record}.{event}`: `lead.captured`, `task.updated`. */
    kind: text(80),
    summary: text(500),
    happenedAt: instant(),
    actor: text(120),
    details: json(z.record(z.string(), z.unknown()), { nullable: true }),
  },
  indexes: [{ name: 'subject', columns: 'subject_id, happened_at desc, timeline_id desc' }],
});

export const timeline = resource(TimelineEntry, {
  path: 'timeline-entries',
  title: 'timeline entry',
  creatable: [],
  patchable: [],
  filterable: ['subjectType', 'subjectId', 'kind', 'happenedAt'],
  sortable: ['happenedAt', 'createdAt'],
  read: allow('timeline:read', { own: onReadableSubject }),
  write: () => false,
  feature: 'engagement',
});
