import type { Database } from '../../db/database.ts';
import { parseOrRefuse } from '../../db/model/schemas.ts';
import { readSlaReport } from '../../db/tickets/sla-report.queries.ts';
import { slaReport, slaReportGroupings, slaReportQuery } from '../../workflows/tickets/sla-report.ts';
import { jsonSchema, type JsonSchema } from '../json-schema.ts';
import type { CallerRoute, Parameter } from '../route.ts';
import { requirePermission } from './row-access.ts';

const query = (name: string, description: string, schema: JsonSchema): Parameter => ({
  name,
  in: 'query',
  description,
  schema,
});

const instant = { type: 'string', format: 'date-time' };

/** `GET /crm/v1/reports/sla`: service levels and backlog of the organisation; writes nothing. */
export function slaReportRoute(database: Database): CallerRoute {
  return {
    access: 'caller',
    tag: 'reports',
    feature: 'tickets',
    method: 'get',
    path: '/crm/v1/reports/sla',
    operationId: 'reportSla',
    summary: 'How well service levels were kept, and how old the open tickets are',
    description:
      'Counts the clocks that started in the range, each once: met in time, breached (answered later or not), or running. ' +
      'Clocks that were cancelled before they were due and deleted tickets are left out. Times are business minutes of the policy; with few tickets the ' +
      'median and the 90th percentile lie between two of them.',
    parameters: [
      query('from', 'Clocks that started at or after this instant; four weeks before `to` if left out.', instant),
      query('to', 'Clocks that started before this instant; now if left out.', instant),
      query(
        'groupBy',
        'What the clocks are gathered by: team and agent are those who had the ticket when the clock was done or fell due, weeks ISO weeks of the organisation.',
        {
          type: 'string',
          enum: [...slaReportGroupings],
          default: 'policy',
        },
      ),
    ],
    problems: ['forbidden'],
    answers: {
      200: { description: 'The report', content: { name: 'SlaReport', schema: jsonSchema(slaReport, 'output') } },
    },
    handle: async ({ actor, query: given, receivedAt }) => {
      requirePermission(actor, 'reports:read');
      const asked = parseOrRefuse(slaReportQuery(receivedAt), Object.fromEntries(given), 'This report');
      return { status: 200, body: await readSlaReport(database, actor.organizationId, asked, receivedAt) };
    },
  };
}
