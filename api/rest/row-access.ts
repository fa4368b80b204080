import type { Actor } from '../../db/access/actor.ts';
import type { Resource } from '../../db/model/define-resource.ts';
import { Problem } from '../../db/model/problem.ts';
import type { RecordsService } from '../../db/records.ts';
import { type Permission, scopeOf } from '../../workflows/access/permissions.ts';
import type { Message } from '../../workflows/processes/messages.ts';

/**
 * The record that a caller wants to send a message about. Problems: `forbidden` without the permission or for a row
 * outside the caller's write filter, `not_found` for one that the caller may not even see.
 */
export async function findWorkable(
  records: RecordsService,
  actor: Actor,
  resource: Resource,
  id: string,
  permission: Permission,
): Promise<Record<string, unknown>> {
  const record = await records.get(actor, resource, id);
  requirePermission(actor, permission);
  if (resource.write(actor) === true) return record;
  // The same row asked for within the write filter: what is not there may be read but not worked on.
  const writable = { ...resource, read: resource.write };
  return records.get(actor, writable, id, { fields: ['id', 'version'] }).then(
    () => record,
    (error: unknown) => {
      if (!(error instanceof Problem) || error.code !== 'not_found') throw error;
      throw new Problem('forbidden', `This ${resource.title} is not one that your role may work on.`);
    },
  );
}

/**
 * Throws unless a caller may work on the other records that a message names in the payload fields `named` as well:
 * `forbidden`, or `reference_not_found` for one that the caller may not see.
 */
export async function requireWorkable(
  records: RecordsService,
  actor: Actor,
  resource: Resource,
  body: Readonly<Record<string, unknown>>,
  { alsoChanges: named = [], permission }: Pick<Message, 'alsoChanges' | 'permission'>,
): Promise<void> {
  for (const path of named) {
    const id = body[path];
    if (typeof id !== 'string') continue;
    await findWorkable(records, actor, resource, id, permission).catch((error: unknown) => {
      if (!(error instanceof Problem) || error.code !== 'not_found') throw error;
      const errors = [{ path, message: `there is no ${resource.title} ${id}` }];
      throw new Problem('reference_not_found', 'A referenced record does not exist; see errors.', errors);
    });
  }
}

/**
 * Throws `forbidden` unless a caller may work on the records that a record leaves by a message. What was deleted is
 * nobody's to work on.
 */
export async function requireLeavable(
  records: RecordsService,
  actor: Actor,
  resource: Resource,
  record: Readonly<Record<string, unknown>>,
  { leaves, permission }: Pick<Message, 'leaves' | 'permission'>,
): Promise<void> {
  if (leaves === undefined) return;
  let id = record[leaves];
  while (typeof id === 'string') {
    const whole = await findWorkable(records, actor, resource, id, permission).catch((error: unknown) => {
      if (!(error instanceof Problem) || error.code !== 'not_found') throw error;
      return null;
    });
    id = whole?.[leaves];
  }
}

/** Throws `forbidden` unless the caller holds a permission, however far it reaches. */
export function requirePermission(actor: Actor, permission: Permission): void {
  if (scopeOf(actor, permission) === null)
    throw new Problem('forbidden', `Your role lacks the permission ${permission}.`);
}
