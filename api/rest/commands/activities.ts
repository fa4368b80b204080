import { z } from 'zod';
import type { Database } from '../../../db/database.ts';
import { type ActivityInput, logActivity } from '../../../db/engagement/activity-log.queries.ts';
import type { Column } from '../../../db/model/columns.ts';
import { exampleId } from '../../../db/model/example-ids.ts';
import { parseOrRefuse } from '../../../db/model/schemas.ts';
import { resourceAt } from '../../../db/registry.ts';
import { jsonSchema } from '../../json-schema.ts';
import type { CallerRoute } from '../../route.ts';
import { idempotencyKeyHeader, keyedWriteProblems, writeContext } from '../headers.ts';
import { written } from '../records.ts';

/**
 * `POST /v1/activity/log` (spec/4): an immutable activity; one on an open lead touches it for who may work on it. Left
 * out, `userId` is the caller and `happenedAt` the receipt.
 */
export function activityLogRoute(database: Database): CallerRoute {
  const activities = resourceAt('activities');
  const schemaOf = (property: string): z.ZodType => (activities.definition.columns[property] as Column).schema;
  const logBody = z.strictObject({
    subjectType: schemaOf('subjectType'),
    subjectId: schemaOf('subjectId'),
    activityType: schemaOf('activityType'),
    direction: schemaOf('direction').nullable().default(null),
    userId: schemaOf('userId').nullable().optional(),
    happenedAt: z.iso.datetime({ offset: true }).optional(),
    durationSeconds: schemaOf('durationSeconds').nullable().default(null),
    notes: schemaOf('notes').nullable().default(null),
  });
  return {
    access: 'caller',
    tag: 'activities',
    feature: activities.feature,
    method: 'post',
    path: '/v1/activity/log',
    operationId: 'logActivity',
    summary: 'Log a call, a mail, a meeting or a note',
    description:
      'Immutable once logged. An activity on an open lead touches it, so that its no-touch ladder ends, if the caller may work on the lead (leads:work, and it is theirs); otherwise it is only logged.',
    parameters: [idempotencyKeyHeader],
    body: {
      content: { name: 'ActivityLog', schema: jsonSchema(logBody, 'input') },
      example: {
        subjectType: 'lead',
        subjectId: exampleId('Lead'),
        activityType: 'call',
        notes: 'Wants a demonstration on Tuesday.',
      },
    },
    problems: [...keyedWriteProblems, 'rule_violation', 'reference_not_found'],
    answers: {
      201: {
        description: 'Logged',
        content: { name: 'ActivityAnswer', schema: { allOf: [{ $ref: '#/components/schemas/Activity' }] } },
        headers: ['ETag', 'Location'],
      },
    },
    handle: async (request) => {
      const write = writeContext(request);
      const { userId, happenedAt, ...given } = parseOrRefuse(logBody, request.body, 'This activity');
      const { actor, receivedAt } = request;
      const input = {
        ...given,
        userId: userId === undefined ? (actor.kind === 'user' ? actor.userId : null) : userId,
        happenedAt: happenedAt === undefined ? receivedAt : new Date(happenedAt),
      } as ActivityInput;
      return written(activities, await logActivity(database, write, input));
    },
  };
}
