import type { EntityManager } from '@mikro-orm/postgresql';
import { v7 as uuidv7 } from 'uuid';
import { baseColumns, type Change } from '../../db/model/changes.ts';
import type { Insertion } from '../../db/model/set-based.ts';
import { ExternalRef } from '../../db/parties/external-ref.ts';

/** The references of a lead to other products, as rows of the record that carries them on. */
export async function carriedRefs(
  em: EntityManager,
  change: Change,
  leadId: string,
  to: { subjectType: 'lead' | 'contact'; subjectId: string },
): Promise<Insertion[]> {
  const refs: { system: string; externalId: string; url: string | null }[] = await em.execute(
    `select system, external_id as "externalId", url from crm_core.crm_external_refs
     where organization_id = ? and subject_type = 'lead' and subject_id = ? and deleted_at is null`,
    [change.organizationId, leadId],
  );
  const rows = refs.map((ref) => ({ id: uuidv7(), ...baseColumns(change), ...to, ...ref }));
  return rows.length === 0 ? [] : [{ into: ExternalRef, rows, unlessKnown: true }];
}
