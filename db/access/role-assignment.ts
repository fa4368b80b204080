import { reference } from '../model/columns.ts';
import { resource } from '../model/define-resource.ts';
import { entity } from '../model/entity.ts';
import { exampleId } from '../model/example-ids.ts';
import { allow } from './access-rules.ts';
import { Role } from './role.ts';
import { User } from './user.ts';

/** Who has which role; the SSO puts the same roles into the tokens it signs. */
export const RoleAssignment = entity('RoleAssignment', 'core_role_assignments', {
  key: 'role_assignment_id',
  columns: { userId: reference(() => User), roleId: reference(() => Role) },
  uniques: [['userId', 'roleId']],
});

export const roleAssignments = resource(RoleAssignment, {
  path: 'role-assignments',
  title: 'role assignment',
  creatable: ['userId', 'roleId'],
  patchable: [],
  filterable: ['userId', 'roleId'],
  sortable: ['createdAt'],
  expandable: { user: 'userId', role: 'roleId' },
  read: allow('access:read'),
  write: allow('access:write'),
  // The first users have the first roles already.
  example: { roleId: exampleId('Role', 3) },
  feature: 'access',
});
