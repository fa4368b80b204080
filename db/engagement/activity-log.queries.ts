import type { EntityManager } from '@mikro-orm/postgresql';
import { v7 as uuidv7 } from 'uuid';
import { scopeOf } from '../../workflows/access/permissions.ts';
import type { ActivityType } from '../../workflows/engagement/activity-types.ts';
import { leadProcess } from '../../workflows/leads/messages.ts';
import type { Database } from '../database.ts';
import type { Answer } from '../automation/answers.queries.ts';
import { writeOnce, type WriteContext } from '../automation/ledger.queries.ts';
import { Command } from '../automation/command.ts';
import { actorLabel } from '../access/actor.ts';
import { baseColumns, type Change, timelineRow } from '../model/changes.ts';
import { Problem } from '../model/problem.ts';
import { recordJson } from '../model/record-json.ts';
import { isWithin } from '../model/row-access.ts';
import { refuseInvisibleReferences } from '../model/references.ts';
import { type Insertion, insertRows } from '../model/set-based.ts';
import type { RecordRow } from '../model/entity.ts';
import { leads } from '../leads/lead.ts';
import { activities, Activity } from './activity.ts';
import type { SubjectType } from './subject.ts';

/** One thing done with a customer, as `POST /v1/activity/log` takes it (spec/4). */
export interface ActivityInput {
  subjectType: SubjectType;
  subjectId: string;
  activityType: ActivityType;
  direction: 'inbound' | 'outbound' | null;
  userId: string | null;
  happenedAt: Date;
  durationSeconds: number | null;
  notes: string | null;
}

/**
 * Writes an immutable activity with its timeline entry. One on an open lead touches it, if the caller may work on it: the
 * command for its process is put into the ledger in the same transaction, so that neither is there without the other; the
 * relay delivers it. Whoever else sees the lead only logs.
 */
export async function logActivity(database: Database, write: WriteContext, input: ActivityInput): Promise<Answer> {
  const { actor, receivedAt } = write;
  const access = activities.write(actor);
  if (access === false) throw new Problem('forbidden', 'Your role may not log activities.');
  return writeOnce(database, write, async (em, commandId) => {
    const id = uuidv7();
    const change: Change = {
      organizationId: actor.organizationId,
      actor,
      at: receivedAt,
      subjectType: input.subjectType,
      subjectId: input.subjectId,
      commandId,
    };
    const row = { id, ...baseColumns(change), ...input } as unknown as RecordRow;
    await refuseInvisibleReferences(em, actor, activities, row, ['subjectId', 'userId']);
    const told = timelineRow(change, 'activity.logged', `${input.activityType} logged`, { activityId: id });
    await insertRows(em, [
      { into: Activity, rows: [row] },
      { ...told, rows: told.rows.map((entry) => ({ ...entry, happenedAt: input.happenedAt })) },
      ...(await touchOfOpenLead(em, write, input, id)),
    ]);
    return {
      status: 201,
      body: recordJson(row, Object.keys(Activity.columns).concat('createdAt', 'createdBy', 'version')),
    };
  });
}

async function touchOfOpenLead(
  em: EntityManager,
  write: WriteContext,
  { subjectType, subjectId }: ActivityInput,
  activityId: string,
): Promise<Insertion[]> {
  if (subjectType !== 'lead') return [];
  const [lead]: { stage: string }[] = await em.execute(
    'select stage from crm_core.crm_leads where organization_id = ? and lead_id = ? and deleted_at is null',
    [write.actor.organizationId, subjectId],
  );
  if (lead?.stage !== 'assigned' && lead?.stage !== 'touched') return [];
  const { actor, receivedAt } = write;
  const mayTouch = scopeOf(actor, leadProcess.messages.touch.permission) !== null;
  if (!mayTouch || !(await isWithin(em, leads, subjectId, leads.write(actor)))) return [];
  const row = {
    id: uuidv7(),
    ...baseColumns({ organizationId: actor.organizationId, actor, at: receivedAt }),
    principal: actorLabel(actor),
    route: 'activity → touch',
    idempotencyKey: activityId,
    requestHash: '',
    state: 'received',
    message: 'touch',
    process: 'lead',
    recordId: subjectId,
    body: {},
    actor,
    receivedAt,
    // Nobody holds a lease on it: the relay takes it at once.
    leaseUntil: receivedAt,
    attempts: 0,
  };
  return [{ into: Command, rows: [row] }];
}
