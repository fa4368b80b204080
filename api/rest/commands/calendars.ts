import { resources } from '../../../db/registry.ts';
import type { RecordsService } from '../../../db/records.ts';
import { Problem } from '../../../db/model/problem.ts';
import { parseOrRefuse } from '../../../db/model/schemas.ts';
import { BusinessTimeError } from '../../../workflows/calendars/business-time.ts';
import type { CalendarHours } from '../../../workflows/calendars/calendar.ts';
import { previewBusinessTime, previewInput, previewOutput } from '../../../workflows/calendars/preview.ts';
import { jsonSchema } from '../../json-schema.ts';
import type { CallerRoute } from '../../route.ts';

/** `POST /crm/v1/calendars/{id}/preview`: what a clock of this calendar would do; writes nothing. */
export function previewRoute(records: RecordsService): CallerRoute {
  const calendars = resources.find(({ path }) => path === 'calendars');
  if (!calendars) throw new Error('The registry has no calendars.');
  return {
    access: 'caller',
    tag: 'calendars',
    feature: calendars.feature,
    method: 'post',
    path: '/crm/v1/calendars/{id}/preview',
    operationId: 'previewCalendar',
    summary: 'When so many business minutes will have passed',
    body: {
      content: { name: 'CalendarPreviewRequest', schema: jsonSchema(previewInput, 'input') },
      example: { start: '2026-11-23T08:00:00Z', minutes: 240, pauses: [] },
    },
    problems: ['forbidden', 'not_found', 'rule_violation'],
    answers: {
      200: {
        description: 'Due time and counted intervals',
        content: { name: 'CalendarPreview', schema: jsonSchema(previewOutput, 'output') },
      },
    },
    handle: async ({ actor, id, body }) => {
      const request = parseOrRefuse(previewInput, body, 'This preview');
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
