import { v7 as uuidv7 } from 'uuid';
import type { Database } from '../../../db/database.ts';
import { readIntakeDefaults } from '../../../db/leads/intake.queries.ts';
import { Problem } from '../../../db/model/problem.ts';
import { parseOrRefuse } from '../../../db/model/schemas.ts';
import { captureBody } from '../../../workflows/leads/capture.ts';
import { leadProcess } from '../../../workflows/leads/messages.ts';
import { normaliseIntake } from '../../../workflows/leads/normalisation.ts';
import { jsonSchema } from '../../json-schema.ts';
import type { Dispatcher } from '../../processes/dispatch.ts';
import type { CallerRoute } from '../../route.ts';
import { idempotencyKeyHeader, preferHeader, prefersAsync, writeContext } from '../headers.ts';
import type { StartProcess } from '../process-creation.ts';
import { acceptedAnswer } from '../process-documents.ts';
import { requirePermission } from '../row-access.ts';

const freshMilliseconds = 5_000;

/** The starting command of the lead process: bad mail and phone are refused before anything is written. */
export function createCapture(database: Database, dispatcher: Dispatcher): StartProcess {
  const defaultRegion = regionReader(database);
  return async (write, input, respondAsync) => {
    requirePermission(write.actor, 'leads:capture');
    const body = parseOrRefuse(captureBody, input, 'This capture');
    const { intake, steps, errors } = normaliseIntake(body, { defaultRegion: await defaultRegion(write.actor.organizationId) });
    if (errors.length > 0) throw new Problem('invalid', 'This capture is not valid; see errors.', errors);
    return dispatcher.dispatch(write, {
      process: leadProcess,
      message: 'captured',
      recordId: uuidv7(),
      body: { intake, steps },
      present: { status: 'open', stage: 'captured' },
      respondAsync,
    });
  };
}

/** Reads an organisation's default region, kept for some seconds. */
function regionReader(database: Database): (organizationId: string) => Promise<string> {
  const known = new Map<string, { region: string; until: number }>();
  return async (organizationId) => {
    const kept = known.get(organizationId);
    if (kept && kept.until > performance.now()) return kept.region;
    const { defaultRegion } = await readIntakeDefaults(database, organizationId);
    known.set(organizationId, { region: defaultRegion, until: performance.now() + freshMilliseconds });
    return defaultRegion;
  };
}

/** `POST /v1/leads/capture` (spec/4). */
export function captureRoute(capture: StartProcess): CallerRoute {
  const lead = { $ref: '#/components/schemas/Lead' };
  const answer = { name: 'LeadAnswer', schema: { allOf: [lead] } };
  return {
    access: 'caller', tag: 'leads', feature: 'leads',
    method: 'post', path: '/v1/leads/capture', operationId: 'captureLead',
    summary: 'Capture a lead, as a website form does',
    description: 'Normalised, checked for duplicates, scored and assigned. Needs a name and at least one of email and phone.',
    parameters: [idempotencyKeyHeader, preferHeader],
    body: { content: { name: 'LeadCreate', schema: jsonSchema(captureBody, 'input') }, example: captureExample },
    problems: ['idempotency_key_missing', 'forbidden', 'conflict', 'in_progress', 'rule_violation', 'idempotency_key_reused'],
    answers: {
      200: { description: 'Merged: the lead that survives', content: answer },
      201: { description: 'The new lead, scored and assigned', content: answer, headers: ['Location'] },
      202: acceptedAnswer,
    },
    handle: (request) => capture(writeContext(request), request.body, prefersAsync(request)),
  };
}

/** A capture that can be pasted. */
export const captureExample = {
  fullName: 'Ada Lovelace',
  email: 'ada@example.com',
  phone: '+49 30 901820',
  company: 'Analytical Engines Ltd',
  source: 'website',
  country: 'DE',
  message: 'We would like to see a demonstration.',
  consent: true,
};
