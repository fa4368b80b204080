import { z } from 'zod';
import { allow } from '../access/access-rules.ts';
import { choice, identifier, instant, json } from '../model/columns.ts';
import { resource } from '../model/define-resource.ts';
import { entity } from '../model/entity.ts';

/** Two records that became one: enough to explain it and to take it back. */
export const Merge = entity('Merge', 'crm_merges', {
  key: 'merge_id',
  columns: {
    subjectType: choice(['lead', 'person', 'account', 'ticket']),
    survivorId: identifier(),
    mergedId: identifier(),
    /** Which fields matched, or who decided. */
    evidence: json(z.record(z.string(), z.unknown())),
    mergedAt: instant(),
    undoneAt: instant({ nullable: true }),
  },
  indexes: [
    { name: 'survivor', columns: 'survivor_id' },
    { name: 'merged', columns: 'merged_id' },
  ],
});

export const merges = resource(Merge, {
  path: 'merges',
  title: 'merge',
  creatable: [],
  patchable: [],
  filterable: ['subjectType', 'survivorId', 'mergedId', 'mergedAt'],
  sortable: ['mergedAt', 'createdAt'],
  read: allow('audit:read'),
  write: () => false,
  feature: 'governance',
});
