import { type Database, inOrganization } from '../database.ts';

/** Whether the API lets nobody in as the identity `i`, as SQL: it is suspended or deleted. */
const lockedOut = `(i.status = 'suspended' or i.deleted_at is not null)`;

/** Whether a user `u` is locked out as an identity, as SQL; they may be active at work all the same. */
export const isSuspended = (u: string): string => `exists (
    select from crm_core.core_users i where i.organization_id = ${u}.organization_id and i.user_id = ${u}.user_id and ${lockedOut})`;

/** Who belongs to an organisation no more; everybody else whose token is good does. */
export interface Membership {
  /** Users whose identity is suspended or deleted. */
  lockedOut: ReadonlySet<string>;
}

/** The membership of an organisation; null when there is no such organisation. */
export function readMembership(database: Database, organizationId: string): Promise<Membership | null> {
  return inOrganization(database, organizationId, async (em) => {
    const [row]: { locked_out: string[] }[] = await em.execute(
      `select array(select user_id::text from crm_core.core_users i
          where i.organization_id = o.organization_id and ${lockedOut}) as locked_out
       from crm_core.core_organizations o where o.organization_id = ? and o.deleted_at is null`,
      [organizationId],
    );
    return row ? { lockedOut: new Set(row.locked_out) } : null;
  });
}
