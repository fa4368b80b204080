import { choice, text } from '../model/columns.ts';
import { resource } from '../model/define-resource.ts';
import { entity } from '../model/entity.ts';
import { emailSchema } from '../model/formats.ts';
import { allow } from './access-rules.ts';

/** Who somebody is, as the SSO tells it (spec/4): the same key as the person at work in `crm_users`. */
export const Identity = entity('Identity', 'core_users', {
  key: 'user_id',
  columns: {
    email: {
      ...text(320),
      schema: emailSchema.meta({ examples: ['alan@example.com', 'edsger@example.com', 'tony@example.com'] }),
    },
    fullName: text(200),
    /** Subject of the identity provider. */
    subject: text(200, { nullable: true }),
    status: choice(['active', 'suspended'], { default: 'active' }),
  },
  search: ['fullName', 'email'],
  uniques: [['email']],
});

export const identities = resource(Identity, {
  path: 'identities',
  title: 'identity',
  creatable: ['email', 'fullName', 'subject', 'status'],
  patchable: ['email', 'fullName', 'subject', 'status'],
  filterable: ['email', 'status'],
  sortable: ['fullName', 'createdAt'],
  read: allow('access:read'),
  write: allow('access:write'),
  feature: 'access',
  emits: 'identity',
});
