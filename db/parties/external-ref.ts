import { allow, onOwnRecord, onTeamRecord } from '../access/access-rules.ts';
import { text } from '../model/columns.ts';
import { resource } from '../model/define-resource.ts';
import { entity } from '../model/entity.ts';
import { webAddress } from '../model/formats.ts';
import { subject } from '../engagement/subject.ts';

/** The same thing in another product (spec/1: external_refs for cross-product navigation). */
export const ExternalRef = entity('ExternalRef', 'crm_external_refs', {
  key: 'external_ref_id',
  columns: {
    ...subject(),
    system: text(60),
    externalId: text(200),
    url: webAddress({ nullable: true }),
  },
  uniques: [['system', 'externalId', 'subjectId']],
  indexes: [{ name: 'external', columns: 'system, external_id', where: 'deleted_at is null' }],
});

export const externalRefs = resource(ExternalRef, {
  path: 'external-refs',
  title: 'external reference',
  creatable: ['subjectType', 'subjectId', 'system', 'externalId', 'url'],
  patchable: ['url'],
  filterable: ['subjectType', 'subjectId', 'system', 'externalId'],
  sortable: ['createdAt'],
  read: allow('accounts:read'),
  write: allow('accounts:write', { own: onOwnRecord, team: onTeamRecord }),
  remove: allow('accounts:delete', { team: onTeamRecord }),
  feature: 'parties',
});
