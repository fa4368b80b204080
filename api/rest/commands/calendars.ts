import { resourceAt } from '../../../db/registry.ts';
import type { RecordsService } from '../../../db/records.ts';
import { Problem } from '../../../db/model/problem.ts';
import { parseOrRefuse } from '../../../db/model/schemas.ts';
import { BusinessTimeError } from '../../../workflows/calendars/business-time.ts';
import type { CalendarHours } from '../../../workflows/calendars/calendar.ts';
import {
  previewBusinessTime,
  previewFormOf,
  previewInput,
  previewOutput,
} from '../../../workflows/calendars/preview.ts';
import { jsonSchema } from '../../json-schema.ts';
import type { CallerRoute } from '../../route.ts';

/** `POST /crm/v1/calendars/{id}/preview`: what a clock of this calendar would do; writes nothing. */
export function previewRoute(records: RecordsService): CallerRoute {
  const calendars = resourceAt('calendars');
  return {
    access: 'caller',
    tag: 'calendars',
    feature: calendars.feature,
    method: 'post',
    path: '/crm/v1/calendars/{id}/preview',
    operationId: 'previewCalendar',
    summary: 'Preview when a number of business minutes will be up, or how many lie between two instants',
    description:
      'Send `{start, minutes, pauses}` for a due time and its intervals, or `{from, to, pauses}` for minutes. An hour that ' +
      'the clock repeats counts twice, one that it skips not at all; minutes are exact to the millisecond and may be fractions.',
    body: {
      content: { name: 'CalendarPreviewRequest', schema: jsonSchema(previewInput, 'input') },
      example: { start: '2026-11-23T08:00:00Z', minutes: 240, pauses: [] },
    },
    problems: ['forbidden', 'not_found', 'rule_violation'],
    answers: {
      200: {
        description: 'Due time and counted intervals, or minutes',
        content: { name: 'CalendarPreview', schema: jsonSchema(previewOutput, 'output') },
      },
    },
    handle: async ({ actor, id, body }) => {
      const request = parseOrRefuse(previewFormOf(body), body, 'This preview');
      const calendar = await records.get(actor, calendars, id);
      try {
        return { status: 200, body: previewBusinessTime(calendar as unknown as CalendarHours, request) };
      } catch (error) {
        if (!(error instanceof BusinessTimeError)) throw error;
        throw new Problem('rule_violation', error.message);
      }
    },
  };
}
