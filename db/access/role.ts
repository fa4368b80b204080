import { roles as roleNames } from '../../workflows/access/permissions.ts';
import { choice, text } from '../model/columns.ts';
import { resource } from '../model/define-resource.ts';
import { entity } from '../model/entity.ts';
import { allow } from './access-rules.ts';

/** A role of spec/2's matrix; what it may do is the grant table in `workflows/access/permissions.ts`. */
export const Role = entity('Role', 'core_roles', {
  key: 'role_id',
  columns: { name: choice(roleNames), title: text(120) },
  uniques: [['name']],
});

export const rolesResource = resource(Role, {
  path: 'roles',
  title: 'role',
  creatable: [],
  patchable: ['title'],
  filterable: ['name'],
  sortable: ['name', 'createdAt'],
  read: allow('access:read'),
  write: allow('access:write'),
  feature: 'access',
});
