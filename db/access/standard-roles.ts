import type { EntityManager } from '@mikro-orm/postgresql';
import { v7 as uuidv7 } from 'uuid';
import {
  grantedScope,
  permissions,
  type Permission as PermissionName,
  type Role as RoleName,
  roles,
} from '../../workflows/access/permissions.ts';
import { insertRows } from '../model/set-based.ts';
import { Permission } from './permission.ts';
import { Role } from './role.ts';

/** Mints the identifier of a new record of an entity (`Account`). */
export type NewId = (entity: string) => string;

const roleTitles: Readonly<Record<RoleName, string>> = {
  admin: 'Administrator',
  manager: 'Manager',
  sales_rep: 'Sales rep',
  support: 'Support',
  marketing: 'Marketing',
};

/** The roles of a new organisation, and what each may do, as the grant table says; `base` are the columns of every row. */
export async function insertRoles(
  em: EntityManager,
  base: Record<string, unknown>,
  newId: NewId,
): Promise<Map<RoleName, string>> {
  const roleIds = new Map(roles.map((role) => [role, newId('Role')]));
  const grants = [...roleIds].flatMap(([role, roleId]) =>
    (Object.keys(permissions) as PermissionName[]).flatMap((permission) => {
      const scope = grantedScope([role], permission);
      return scope === null ? [] : [{ id: uuidv7(), ...base, roleId, name: permission, scope }];
    }),
  );
  const rows = [...roleIds].map(([role, id]) => ({ id, ...base, name: role, title: roleTitles[role] }));
  await insertRows(em, [
    { into: Role, rows },
    { into: Permission, rows: grants },
  ]);
  return roleIds;
}
