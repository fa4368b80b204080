import { choice, reference, text } from '../model/columns.ts';
import { resource } from '../model/define-resource.ts';
import { entity } from '../model/entity.ts';
import { allow } from './access-rules.ts';
import { Role } from './role.ts';

/** One grant of a role, written from the grant table so that reports and other products can read it. */
export const Permission = entity('Permission', 'core_permissions', {
  key: 'permission_id',
  columns: { roleId: reference(() => Role), name: text(80), scope: choice(['all', 'team', 'own']) },
  uniques: [['roleId', 'name']],
});

export const permissionsResource = resource(Permission, {
  path: 'permissions',
  title: 'permission',
  creatable: [],
  patchable: [],
  filterable: ['roleId', 'name', 'scope'],
  sortable: ['name', 'createdAt'],
  expandable: { role: 'roleId' },
  read: allow('access:read'),
  write: () => false,
  feature: 'access',
});
