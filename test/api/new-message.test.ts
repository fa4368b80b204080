import { OpenAPIHono } from '@hono/zod-openapi';
import { expect, it } from '@jest/globals';
import { z } from 'zod';
import type { ApiEnv } from '../../api/environment.ts';
import { openApiDocument } from '../../api/openapi.ts';
import { resourceOfProcess } from '../../api/processes/processes.ts';
import { type ProcessDependencies, processRoutes } from '../../api/rest/processes.ts';
import { message } from '../../workflows/processes/messages.ts';
import { processes } from '../../workflows/processes/registry.ts';

const callBack = message({
  summary: 'Asks for a call.',
  payload: z.strictObject({ phone: z.string().max(20), soon: z.boolean().optional() }),
  permission: 'tickets:work',
  stages: ['assigned'],
  kept: ['phone'],
});

it.each(processes.map((process) => [process.name, process] as const))(
  'a new message of the process %s is one declaration: command, document and what is legal now come with it',
  async (_name, process) => {
    const grown = { ...process, messages: { ...process.messages, callBack } };
    const resource = resourceOfProcess(process);
    const read = () => Promise.resolve({ stage: 'assigned', status: 'open', waitsFor: null, explanation: {} });
    const liveState = () => Promise.resolve({ runId: null, state: null, live: false });
    const routes = processRoutes({ process: grown, resource, read }, { liveState } as unknown as ProcessDependencies);

    const path = `/crm/v1/${process.path}/{id}/call-back`;
    const document = JSON.parse(openApiDocument(new OpenAPIHono<ApiEnv>(), routes)) as {
      paths: Record<string, Record<string, { summary: string; description: string }>>;
    };
    expect(document.paths[path]?.['post']).toMatchObject({
      summary: 'Asks for a call.',
      description: `Legal while the ${resource.title} is assigned. Needs the permission tickets:work.`,
    });

    const state = routes.find((route) => route.path.endsWith('/process'));
    const { body } = (await state?.handle({ id: '42' } as never)) ?? {};
    const { messages } = body as { messages: { name: string }[] };
    expect(messages.find(({ name }) => name === 'callBack')).toMatchObject({
      summary: 'Asks for a call.',
      method: 'POST',
      href: `/crm/v1/${process.path}/42/call-back`,
      roles: ['admin', 'manager', 'support'],
      schema: { required: ['phone'], additionalProperties: false },
    });
  },
);
