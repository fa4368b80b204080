import { type Database, inOrganization } from '../database.ts';

/** Who belongs to an organisation no more; everybody else whose token is good does. */
export interface Membership {
  /** Users whose identity is suspended or deleted. */
  lockedOut: ReadonlySet<string>;
}

/** The membership of an organisation; null when there is no such organisation. */
export function readMembership(database: Database, organizationId: string): Promise<Membership | null> {
  return inOrganization(database, organizationId, async (em) => {
    const [row]: { locked_out: string[] }[] = await em.execute(
      `select array(select user_id::text from crm_core.core_users u
          where u.organization_id = o.organization_id and (u.status = 'suspended' or u.deleted_at is not null)) as locked_out
       from crm_core.core_organizations o where o.organization_id = ? and o.deleted_at is null`,
      [organizationId],
    );
    return row ? { lockedOut: new Set(row.locked_out) } : null;
  });
}
