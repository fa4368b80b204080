import { allow, ofTeamOrOnTeamRecord, ownOrOnOwnRecord } from '../access/access-rules.ts';
import { reference } from '../model/columns.ts';
import { resource } from '../model/define-resource.ts';
import { entity } from '../model/entity.ts';
import { subject } from './subject.ts';
import { Tag } from './tag.ts';

/** A tag on a record. */
export const Tagging = entity('Tagging', 'crm_taggings', {
  key: 'tagging_id',
  columns: { tagId: reference(() => Tag), ...subject() },
  uniques: [['tagId', 'subjectId']],
  indexes: [{ name: 'subject', columns: 'subject_id', where: 'deleted_at is null' }],
});

export const taggings = resource(Tagging, {
  path: 'taggings',
  title: 'tagging',
  creatable: ['tagId', 'subjectType', 'subjectId'],
  patchable: [],
  filterable: ['tagId', 'subjectType', 'subjectId'],
  sortable: ['createdAt'],
  expandable: { tag: 'tagId' },
  read: allow('tags:read'),
  write: allow('tags:apply', { own: ownOrOnOwnRecord, team: ofTeamOrOnTeamRecord }),
  feature: 'engagement',
});
