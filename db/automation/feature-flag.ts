import { z } from 'zod';
import { allow } from '../access/access-rules.ts';
import { flag, text } from '../model/columns.ts';
import { resource } from '../model/define-resource.ts';
import { entity } from '../model/entity.ts';

/** A module's switch, `crm_feature_{name}`: off means 404 with a clear code; running processes finish. */
export const FeatureFlag = entity('FeatureFlag', 'crm_feature_flags', {
  key: 'feature_flag_id',
  columns: {
    name: {
      ...text(80),
      schema: z
        .string()
        .max(80)
        .regex(/^crm_feature_[a-z][a-z_]*$/, 'is not a name such as crm_feature_leads')
        .meta({ examples: ['crm_feature_example', 'crm_feature_another'] }),
    },
    enabled: flag({ default: true }),
    description: text(300, { nullable: true }),
  },
  uniques: [['name']],
});

export const featureFlags = resource(FeatureFlag, {
  path: 'feature-flags',
  title: 'feature flag',
  creatable: ['name', 'enabled', 'description'],
  patchable: ['enabled', 'description'],
  filterable: ['name', 'enabled'],
  sortable: ['name', 'createdAt'],
  read: allow('configuration:read'),
  write: allow('configuration:write'),
  // Else who switches off the module of the switches could not switch it on again.
  feature: null,
});
