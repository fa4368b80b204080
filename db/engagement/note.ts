import { allow, ofTeamOrOnTeamRecord, onReadableSubject, ownOrOnOwnRecord } from '../access/access-rules.ts';
import { flag, longText } from '../model/columns.ts';
import { resource } from '../model/define-resource.ts';
import { entity } from '../model/entity.ts';
import { subject } from './subject.ts';

/** Free text about a record, for colleagues. */
export const Note = entity('Note', 'crm_notes', {
  key: 'note_id',
  columns: { ...subject(), body: longText(20_000), pinned: flag({ default: false }) },
  search: ['body'],
  indexes: [{ name: 'subject', columns: 'subject_id, created_at desc', where: 'deleted_at is null' }],
});

export const notes = resource(Note, {
  path: 'notes',
  title: 'note',
  creatable: ['subjectType', 'subjectId', 'body', 'pinned'],
  patchable: ['body', 'pinned'],
  filterable: ['subjectType', 'subjectId', 'pinned'],
  sortable: ['createdAt', 'updatedAt'],
  read: allow('notes:read', { own: onReadableSubject }),
  write: allow('notes:write', { own: ownOrOnOwnRecord, team: ofTeamOrOnTeamRecord }),
  feature: 'engagement',
});
