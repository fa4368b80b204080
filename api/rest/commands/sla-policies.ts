import { z } from 'zod';
import type { Database } from '../../../db/database.ts';
import { applyPolicyChange, previewPolicyChange } from '../../../db/tickets/policy-change.queries.ts';
import { resourceAt } from '../../../db/registry.ts';
import { policyPreview } from '../../../workflows/tickets/policy-preview.ts';
import { Problem } from '../../../db/model/problem.ts';
import { jsonSchema } from '../../json-schema.ts';
import type { CallerRequest, CallerRoute } from '../../route.ts';
import { idempotencyKeyHeader, keyedWriteProblems, writeContext } from '../headers.ts';
import { documentsOf } from '../record-documents.ts';

const applied = z.object({
  id: z.uuid(),
  version: z.int().describe('The version that open tickets follow from now on.'),
  openTickets: z.int().describe('Open tickets whose processes are told.'),
});

const example = { targets: { P1: { first_response: 30, resolution: 240 } } };

/** `POST /crm/v1/sla-policies/{id}/preview-change` and `…/apply-change`: what a change means for tickets that are open. */
export function policyChangeRoutes(database: Database): CallerRoute[] {
  const policies = resourceAt('sla-policies');
  const base = {
    access: 'caller',
    tag: policies.path,
    feature: policies.feature,
    method: 'post',
    body: { content: documentsOf(policies).patch.content, example, optional: true },
  } as const;
  return [
    {
      ...base,
      path: '/crm/v1/sla-policies/{id}/preview-change',
      operationId: 'previewSlaPolicyChange',
      summary: 'Which open tickets a changed policy would breach, un-breach or move, and by how much',
      description:
        'Takes the properties to change, as PATCH does; writes nothing. Needs the permission configuration:write.',
      problems: ['forbidden', 'not_found', 'duplicate', 'rule_violation', 'reference_not_found'],
      answers: {
        200: {
          description: 'The clocks that would not stay as they are',
          content: { name: 'SlaPolicyPreview', schema: jsonSchema(policyPreview, 'output') },
        },
      },
      handle: async (request) => ({
        status: 200,
        body: await previewPolicyChange(database, request, request.id, changesIn(request)),
      }),
    },
    {
      ...base,
      path: '/crm/v1/sla-policies/{id}/apply-change',
      operationId: 'applySlaPolicyChange',
      summary: 'Change a policy for new tickets and for the open ones that it was chosen for',
      description:
        'Stores the change as PATCH does; each open ticket computes its clocks anew from their start. Needs the permission configuration:write.',
      parameters: [idempotencyKeyHeader],
      problems: [...keyedWriteProblems, 'not_found', 'duplicate', 'rule_violation', 'reference_not_found'],
      answers: {
        200: {
          description: 'Stored; the tickets follow within seconds',
          content: { name: 'SlaPolicyApplied', schema: jsonSchema(applied, 'output') },
        },
      },
      handle: async (request) => {
        const { status, body, replayed } = await applyPolicyChange(
          database,
          writeContext(request),
          request.id,
          changesIn(request),
        );
        return { status, body, ...(replayed ? { headers: { 'Idempotency-Replayed': 'true' } } : {}) };
      },
    },
  ];
}

/** The properties to change; none at all means the policy as it is. */
function changesIn({ body }: CallerRequest): object {
  if (body === undefined || body === null) return {};
  if (typeof body === 'object' && !Array.isArray(body)) return body;
  throw new Problem('invalid', 'The change is not valid; see errors.', [
    { path: '', message: 'must be a JSON object' },
  ]);
}
