import { v7 as uuidv7 } from 'uuid';
import { z } from 'zod';
import type { Database } from '../../../db/database.ts';
import { readIntakeDefaults, type StoredIntake } from '../../../db/leads/intake.queries.ts';
import { projectRoute } from '../../../db/leads/projection.queries.ts';
import { Problem } from '../../../db/model/problem.ts';
import { parseOrRefuse } from '../../../db/model/schemas.ts';
import { captureBody } from '../../../workflows/leads/capture.ts';
import { emailStatuses } from '../../../workflows/leads/facts.ts';
import { leadProcess } from '../../../workflows/leads/messages.ts';
import { normaliseIntake } from '../../../workflows/leads/normalisation.ts';
import { jsonSchema } from '../../json-schema.ts';
import type { Dispatcher } from '../../processes/dispatch.ts';
import type { CallerRoute, NamedSchema } from '../../route.ts';
import { idempotencyKeyHeader, keyedWriteProblems, preferHeader, prefersAsync, writeContext } from '../headers.ts';
import type { StartProcess } from '../process-creation.ts';
import { acceptedAnswer } from '../process-documents.ts';
import { requirePermission } from '../row-access.ts';

const freshMilliseconds = 5_000;

/** Checks and normalises a capture before anything is written. Throws Problem `invalid`. */
export type ReadIntake = (organizationId: string, input: unknown) => Promise<StoredIntake>;

/** Makes a reader of captures; phones without country are read by the organisation's default region, kept for some seconds. */
export function createIntakeReader(database: Database): ReadIntake {
  const known = new Map<string, { region: string; until: number }>();
  async function defaultRegionOf(organizationId: string): Promise<string> {
    const kept = known.get(organizationId);
    if (kept && kept.until > performance.now()) return kept.region;
    const { defaultRegion } = await readIntakeDefaults(database, organizationId);
    known.set(organizationId, { region: defaultRegion, until: performance.now() + freshMilliseconds });
    return defaultRegion;
  }
  return async (organizationId, input) => {
    const body = parseOrRefuse(captureBody, input, 'This capture');
    const { intake, steps, errors } = normaliseIntake(body, { defaultRegion: await defaultRegionOf(organizationId) });
    if (errors.length > 0) throw new Problem('invalid', 'This capture is not valid; see errors.', errors);
    return { intake, steps };
  };
}

/** The starting command of the lead process. */
export function createCapture(readIntake: ReadIntake, dispatcher: Dispatcher): StartProcess {
  return (write, input, respondAsync) =>
    dispatcher.dispatch(write, {
      process: leadProcess,
      message: leadProcess.startUpdate,
      async check() {
        requirePermission(write.actor, 'leads:capture');
        const body = await readIntake(write.actor.organizationId, input);
        return { recordId: uuidv7(), body, present: { status: 'open', stage: 'captured' } };
      },
      respondAsync,
    });
}

/** `POST /v1/leads/capture` (spec/4). */
export function captureRoute(capture: StartProcess): CallerRoute {
  const lead = { $ref: '#/components/schemas/Lead' };
  const answer = { name: 'LeadAnswer', schema: { allOf: [lead] } };
  return {
    access: 'caller',
    tag: 'leads',
    feature: 'leads',
    method: 'post',
    path: '/v1/leads/capture',
    operationId: 'captureLead',
    summary: 'Capture a lead, as a website form does',
    description:
      'Normalised, checked for duplicates, scored and assigned. Needs a name and at least one of email and phone.',
    parameters: [idempotencyKeyHeader, preferHeader],
    body: { content: leadCreate, example: captureExample },
    problems: [...keyedWriteProblems, 'rule_violation'],
    answers: {
      200: { description: 'Merged: the lead that survives', content: answer },
      201: { description: 'The new lead, scored and assigned', content: answer, headers: ['Location'] },
      202: acceptedAnswer,
    },
    handle: (request) => capture(writeContext(request), request.body, prefersAsync(request)),
  };
}

/** `POST /crm/v1/leads/route-projection`: the decision on a capture as it would be made now; writes nothing. */
export function routeProjectionRoute(database: Database, readIntake: ReadIntake): CallerRoute {
  return {
    access: 'caller',
    tag: 'leads',
    feature: 'leads',
    method: 'post',
    path: '/crm/v1/leads/route-projection',
    operationId: 'projectLeadRoute',
    summary: 'Who would get this lead, and why: a dry run',
    description:
      'Needs the permission leads:assign, because the explanation names every candidate. The mail is not looked up, as a ' +
      'capture would: `emailStatus` says what the decision goes by, and `emailStatusFrom` whether that is known or assumed.',
    body: { content: leadCreate, example: captureExample },
    problems: ['forbidden'],
    answers: { 200: { description: 'The decision with its explanation', content: projection } },
    handle: async ({ actor, body, receivedAt }) => {
      requirePermission(actor, 'leads:assign');
      const stored = await readIntake(actor.organizationId, body);
      return { status: 200, body: await projectRoute(database, actor, stored, receivedAt) };
    },
  };
}

const leadCreate: NamedSchema = { name: 'LeadCreate', schema: jsonSchema(captureBody, 'input') };

const projection: NamedSchema = {
  name: 'RouteProjection',
  schema: jsonSchema(
    z.looseObject({
      outcome: z.enum(['merged', 'scored', 'assigned']),
      mergedIntoLeadId: z.string().optional(),
      score: z.number().optional(),
      band: z.string().optional(),
      emailStatus: z.enum(emailStatuses).optional(),
      emailStatusFrom: z.enum(['no_mail', 'earlier_look_up', 'assumed']).optional(),
      assignedUserId: z.string().nullable().optional(),
      teamId: z.string().nullable().optional(),
      nextStep: z.string().nullable().optional(),
      nextDueAt: z.string().nullable().optional(),
      explanation: z.record(z.string(), z.unknown()),
    }),
    'output',
  ),
};

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
