import { z } from 'zod';
import { jsonSchema } from '../json-schema.ts';
import type { DocumentedAnswer, NamedSchema } from '../route.ts';

const link = z.object({ workflowId: z.string(), href: z.string() });

const accepted: NamedSchema = {
  name: 'Accepted',
  schema: jsonSchema(
    z.object({ id: z.uuid(), status: z.string(), stage: z.string(), process: link }).loose(),
    'output',
  ),
};

/** 202 of every command: stored, and delivered as soon as the process can be reached. */
export const acceptedAnswer: DocumentedAnswer = {
  description: 'Stored; there is no outcome yet. `Location` leads to the process.',
  content: accepted,
  headers: ['Location'],
};

const legalMessage = z.object({
  name: z.string(),
  summary: z.string(),
  method: z.literal('POST'),
  href: z.string(),
  permission: z.string(),
  roles: z.array(z.string()),
  reopens: z.boolean(),
  schema: z.record(z.string(), z.unknown()),
});

/** The state of a process, the same for every process; `explanation` is its own. */
export const processDocument: NamedSchema = {
  name: 'Process',
  schema: jsonSchema(
    z.object({
      workflow: z.object({
        id: z.string(),
        type: z.string(),
        runId: z.string().nullable(),
        state: z
          .string()
          .nullable()
          .describe('Of the run, by Temporal; null when Temporal does not know it (any more).'),
        live: z.boolean().describe('Whether Temporal could be asked.'),
      }),
      stage: z.string(),
      status: z.string(),
      waitsFor: z
        .object({ step: z.string(), dueAt: z.string(), userId: z.string().nullable() })
        .loose()
        .nullable()
        .describe('The next automatic step, when it is due, and the user whose action would prevent it.'),
      messages: z.array(legalMessage).describe('What may be sent now, and by whom.'),
      explanation: z.record(z.string(), z.unknown()),
    }),
    'output',
  ),
};
