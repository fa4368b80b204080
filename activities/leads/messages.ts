import type { EntityManager } from '@mikro-orm/postgresql';
import { v7 as uuidv7 } from 'uuid';
import { Activity } from '../../db/engagement/activity.ts';
import { baseColumns, type Change } from '../../db/model/changes.ts';
import type { LeadRow } from '../../db/leads/lead-state.queries.ts';
import { planNext } from '../../db/leads/ladder.queries.ts';
import { Problem } from '../../db/model/problem.ts';
import type { Insertion } from '../../db/model/set-based.ts';
import { type ActivityType, activityTypes } from '../../workflows/engagement/activity-types.ts';
import type { MessageName, PayloadOf } from '../../workflows/processes/messages.ts';
import type { leadProcess } from '../../workflows/leads/messages.ts';
import { readUser } from './assignment.ts';
import { saveLead } from './lead-change.ts';
import { mergeInto, unmerge } from './merge-commands.ts';
import { qualify } from './qualification.ts';
import { reassign } from './reassignment.ts';
import { rescore } from './rescoring.ts';
import { keepInTime } from './in-time.ts';
import { moveStep, replan } from './planning.ts';

type LeadMessage = MessageName<typeof leadProcess>;
type Payload<N extends LeadMessage> = PayloadOf<typeof leadProcess, N>;

/** Applies a message to a locked lead whose stage allows it; answers the lead as it is afterwards. */
export async function applyToLead(
  em: EntityManager,
  change: Change,
  lead: LeadRow,
  name: string,
  payload: unknown,
): Promise<LeadRow> {
  const wasOpen = lead.status === 'open';
  const after = await outcomeOf(em, change, lead, name, payload);
  // Nothing that happened while it was closed has reached it: its owner may have left.
  return wasOpen || after.status !== 'open' ? after : replan(em, change, after);
}

async function outcomeOf(
  em: EntityManager,
  change: Change,
  lead: LeadRow,
  name: string,
  payload: unknown,
): Promise<LeadRow> {
  switch (name as LeadMessage | 'engaged' | 'changed') {
    case 'touch':
      return touch(em, change, lead, payload as Payload<'touch'>);
    case 'rescore':
      return rescore(em, change, lead, 'rescore');
    case 'engaged':
      return engaged(em, change, lead);
    case 'changed':
      return replan(em, change, await rescore(em, change, lead, 'changed'));
    case 'reassign':
      return reassign(em, change, lead, payload as Payload<'reassign'>);
    case 'qualify':
      return qualify(em, change, lead, payload as Payload<'qualify'>);
    case 'disqualify':
      return disqualify(em, change, lead, payload as Payload<'disqualify'>);
    case 'merge':
      return mergeInto(em, change, lead, payload as Payload<'merge'>);
    case 'unmerge':
      return unmerge(em, change, lead);
    default:
      throw new Problem('not_found', `A lead has no message ${name}.`);
  }
}

async function touch(
  em: EntityManager,
  change: Change,
  lead: LeadRow,
  { channel, note }: Payload<'touch'>,
): Promise<LeadRow> {
  const inTime = await keepInTime(em, change, lead, 'touched');
  const touched = {
    ...inTime.values,
    stage: 'touched' as const,
    touchedAt: lead.touchedAt !== null && lead.touchedAt < change.at ? lead.touchedAt : change.at,
    lastActivityAt: lead.lastActivityAt !== null && lead.lastActivityAt > change.at ? lead.lastActivityAt : change.at,
    engagementCount: lead.engagementCount + 1,
  };
  const next = await planNext(em, { ...lead, ...touched });
  const known = activityTypes.find((type) => type === channel);
  const rows =
    channel === undefined && note === undefined
      ? []
      : [await loggedActivity(em, change, known ?? 'note', note ?? null)];
  const told = { kind: 'lead.touched', summary: `touched${channel ? ` by ${channel}` : ''}${inTime.remark}` };
  const after = await saveLead(em, change, lead, { ...touched, ...next }, told, { rows: [...rows, ...inTime.rows] });
  return rescore(em, change, after, 'engaged');
}

/** Something came in on the lead: scored again; a touched one is not idle, so that its next step moves. */
async function engaged(em: EntityManager, change: Change, lead: LeadRow): Promise<LeadRow> {
  const after = await rescore(em, change, lead, 'engaged');
  return after.stage === 'touched' ? moveStep(em, change, after, await planNext(em, after)) : after;
}

async function loggedActivity(
  em: EntityManager,
  change: Change,
  activityType: ActivityType,
  notes: string | null,
): Promise<Insertion> {
  const { subjectType, subjectId, at, actor } = change;
  // An administrator may come from the SSO without being somebody at work here.
  const userId =
    actor.kind === 'user' && (await readUser(em, change.organizationId, actor.userId)) ? actor.userId : null;
  return {
    into: Activity,
    rows: [
      {
        id: uuidv7(),
        ...baseColumns(change),
        subjectType,
        subjectId,
        activityType,
        direction: null,
        userId,
        happenedAt: at,
        durationSeconds: null,
        notes,
      },
    ],
  };
}

async function disqualify(
  em: EntityManager,
  change: Change,
  lead: LeadRow,
  { reason, note }: Payload<'disqualify'>,
): Promise<LeadRow> {
  const inTime = await keepInTime(em, change, lead, 'disqualified');
  const rows = note === undefined ? [] : [await loggedActivity(em, change, 'note', note)];
  return saveLead(
    em,
    change,
    lead,
    { ...inTime.values, stage: 'disqualified', disqualifyReason: reason },
    { kind: 'lead.disqualified', summary: `disqualified: ${reason}${inTime.remark}` },
    { rows: [...rows, ...inTime.rows] },
  );
}
