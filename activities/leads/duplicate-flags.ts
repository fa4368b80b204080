import type { EntityManager } from '@mikro-orm/postgresql';
import { v7 as uuidv7 } from 'uuid';
import { actorLabel } from '../../db/access/actor.ts';
import { Task, tasks } from '../../db/engagement/task.ts';
import type { ComparedDuplicate } from '../../db/leads/decisions.ts';
import type { LeadRow } from '../../db/leads/lead-state.queries.ts';
import { auditRows, baseColumns, type Change, timelineRow } from '../../db/model/changes.ts';
import { subjectTypeOf } from '../../db/model/record-json.ts';
import type { Insertion } from '../../db/model/set-based.ts';

/** The duplicates of a lead that a person should look at: likely ones, since the exact ones were merged. */
export const likelyOf = (duplicates: readonly ComparedDuplicate[]): ComparedDuplicate[] =>
  duplicates.filter(({ verdict }) => verdict === 'likely');

/** What flags a captured lead for a person where others are likely the same: a task for its owner, and its timeline. */
export function duplicateFlags(
  change: Change,
  { fullName, assignedUserId }: LeadRow,
  duplicates: readonly ComparedDuplicate[],
): Insertion[] {
  const leadIds = likelyOf(duplicates).map(({ leadId }) => leadId);
  if (leadIds.length === 0) return [];
  const { subjectType, subjectId } = change;
  const task = {
    id: uuidv7(),
    ...baseColumns(change),
    title: `Possible duplicate: ${fullName}`.slice(0, 200),
    description: `The lead ${fullName} is likely the same as ${leadIds.join(', ')}. If it is, use the command "merge".`,
    status: 'open',
    priority: 'normal',
    dueAt: null,
    assignedUserId,
    subjectType,
    subjectId,
  };
  const summary = `likely the same as ${leadIds.length === 1 ? 'another open lead' : `${leadIds.length} open leads`}`;
  return [{ into: Task, rows: [task] }, timelineRow(change, 'lead.duplicate_suspected', summary, { leadIds })];
}

/**
 * The open task that was made with a flagged lead goes to the lead's new owner, also from nobody; to nobody when there is
 * none. One that somebody has given to another stays there. Answers what is told of it.
 */
export async function flagsFollow(
  em: EntityManager,
  change: Change,
  lead: LeadRow,
  assignedUserId: string | null,
): Promise<Insertion[]> {
  if (lead.likelyDuplicates === 0) return [];
  const { organizationId, at } = change;
  const moved: { id: string; version: number; before: string | null }[] = await em.execute(
    `with task as (
       select organization_id, task_id, assigned_user_id from crm_core.crm_tasks
       where organization_id = ? and subject_type = 'lead' and subject_id = ? and created_at = ? and status = 'open' and deleted_at is null
         and (assigned_user_id is null or assigned_user_id = ?) for update)
     update crm_core.crm_tasks t set assigned_user_id = ?, updated_at = ?, updated_by = ?, version = t.version + 1
     from task where t.organization_id = task.organization_id and t.task_id = task.task_id and task.assigned_user_id is distinct from ?
     returning t.task_id as id, t.version, task.assigned_user_id as before`,
    [
      organizationId,
      lead.id,
      lead.createdAt,
      lead.assignedUserId,
      assignedUserId,
      at,
      actorLabel(change.actor),
      assignedUserId,
    ],
  );
  return moved.flatMap(({ id, version, before }) => {
    const own = { ...change, subjectType: subjectTypeOf(tasks), subjectId: id };
    return [
      auditRows(own, version, { assignedUserId: before }, { assignedUserId }),
      timelineRow(own, 'task.updated', 'goes with its lead', { fields: ['assignedUserId'] }),
    ];
  });
}
