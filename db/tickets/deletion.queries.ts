import type { EntityManager } from '@mikro-orm/postgresql';
import type { TicketRow } from './ticket-state.queries.ts';

/** What happened to a ticket, since it began to wait, while it was deleted. */
export interface DeletedMeanwhile {
  /** When it was restored; null: it was not deleted. */
  restoredAt: Date | null;
  /** Its customer wrote, to a follow-up ticket. */
  hasFollowUp: boolean;
}

/** Reads it of a ticket that waits for its customer. */
export async function readDeletedMeanwhile(
  em: EntityManager,
  { organizationId, id, waitingSince }: Pick<TicketRow, 'organizationId' | 'id' | 'waitingSince'>,
): Promise<DeletedMeanwhile> {
  const [row]: { restoredAt: string | null; hasFollowUp: boolean }[] = await em.execute(
    `select
       (select max(happened_at) from crm_core.crm_auditlog
          where organization_id = ? and subject_type = 'ticket' and subject_id = ? and field = 'deletedAt'
            and coalesce(value_after, 'null') = 'null' and happened_at > ?) as "restoredAt",
       exists (select from crm_core.crm_tickets
          where organization_id = ? and follow_up_of_ticket_id = ? and opened_at >= ? and deleted_at is null) as "hasFollowUp"`,
    [organizationId, id, waitingSince, organizationId, id, waitingSince],
  );
  const restoredAt = row?.restoredAt ?? null;
  return { restoredAt: restoredAt === null ? null : new Date(restoredAt), hasFollowUp: row?.hasFollowUp === true };
}
