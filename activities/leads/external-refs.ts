import type { EntityManager } from '@mikro-orm/postgresql';
import { v7 as uuidv7 } from 'uuid';
import { actorLabel } from '../../db/access/actor.ts';
import { auditRows, baseColumns, type Change } from '../../db/model/changes.ts';
import type { Insertion } from '../../db/model/set-based.ts';
import { subjectTypeOf } from '../../db/model/record-json.ts';
import { ExternalRef, externalRefs } from '../../db/parties/external-ref.ts';

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

/**
 * Removes the references that a record has of a lead which leaves it: those that came by a merge, and that nothing else
 * merged into it brings along. Answers their audit.
 */
export async function withdrawnRefs(
  em: EntityManager,
  change: Change,
  leavingId: string,
  holderId: string,
): Promise<Insertion[]> {
  const { organizationId, at } = change;
  const removed: { id: string; version: number }[] = await em.execute(
    `update crm_core.crm_external_refs r set deleted_at = ?, updated_at = ?, updated_by = ?, version = r.version + 1
     where r.organization_id = ? and r.subject_id = ? and r.deleted_at is null
       and exists (select from crm_core.crm_external_refs own
         where own.organization_id = r.organization_id and own.subject_id = ? and own.deleted_at is null
           and own.system = r.system and own.external_id = r.external_id)
       and exists (select from crm_core.crm_merges m
         where m.organization_id = r.organization_id and m.survivor_id = r.subject_id and m.merged_at = r.created_at)
       and not exists (select from crm_core.crm_merges m
         join crm_core.crm_external_refs other on other.organization_id = m.organization_id and other.subject_id = m.merged_id
         where m.organization_id = r.organization_id and m.survivor_id = r.subject_id and m.undone_at is null
           and other.deleted_at is null and other.system = r.system and other.external_id = r.external_id)
     returning r.external_ref_id as id, r.version`,
    [at, at, actorLabel(change.actor), organizationId, holderId, leavingId],
  );
  return removed.map(({ id, version }) =>
    auditRows(
      { ...change, subjectType: subjectTypeOf(externalRefs), subjectId: id },
      version,
      { deletedAt: null },
      { deletedAt: at },
    ),
  );
}
