import type { EntityManager } from '@mikro-orm/postgresql';

/** The key of the advisory lock on a mail or phone (`contact`) of the organisation given as parameter. */
export const contactLockKey = `hashtextextended(?::text || ':' || contact, 7)`;

/**
 * Locks the mails and phones by which leads are known, their own and those of all that was merged into them, until the
 * transaction ends: no capture decides on one of them meanwhile. In sorted order and before any row, as a capture does,
 * so that nobody waits in a circle. Read what they protect in a later statement.
 */
export async function lockContacts(
  em: EntityManager,
  organizationId: string,
  leadIds: readonly string[],
): Promise<void> {
  await em.execute(
    `with recursive family as (
       select unnest(?::uuid[]) as id
       union
       select m.merged_id from family join crm_core.crm_merges m on m.survivor_id = family.id
       where m.organization_id = ? and m.undone_at is null and m.deleted_at is null),
     keys as materialized (
       select distinct ${contactLockKey} as key
       from family join crm_core.crm_leads l on l.lead_id = family.id, unnest(array[l.email, l.phone]) as contact
       where l.organization_id = ? and contact is not null order by key),
     locks as materialized (select pg_advisory_xact_lock(key)::text as held from keys)
     select count(held) from locks`,
    [`{${leadIds.join(',')}}`, organizationId, organizationId, organizationId],
  );
}
