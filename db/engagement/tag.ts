import { z } from 'zod';
import { allow } from '../access/access-rules.ts';
import { text } from '../model/columns.ts';
import { resource } from '../model/define-resource.ts';
import { entity } from '../model/entity.ts';

/** A label that can be put on any record. */
export const Tag = entity('Tag', 'crm_tags', {
  key: 'tag_id',
  columns: {
    name: text(60),
    colour: {
      ...text(7, { nullable: true }),
      schema: z.string().regex(/^#[0-9a-f]{6}$/, 'is not a colour such as #1f77b4'),
    },
  },
  search: ['name'],
  uniques: [['name']],
});

export const tags = resource(Tag, {
  path: 'tags',
  title: 'tag',
  creatable: ['name', 'colour'],
  patchable: ['name', 'colour'],
  filterable: ['name'],
  sortable: ['name', 'createdAt'],
  read: allow('tags:read'),
  write: allow('tags:write'),
  feature: 'engagement',
});
