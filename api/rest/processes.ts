import type { Actor } from '../../db/access/actor.ts';
import type { Resource } from '../../db/model/define-resource.ts';
import { parseOrRefuse } from '../../db/model/schemas.ts';
import type { RecordsService } from '../../db/records.ts';
import { grantedScope, roles } from '../../workflows/access/permissions.ts';
import { legalMessages, type Message, type Process } from '../../workflows/processes/messages.ts';
import { exampleOf } from '../json-example.ts';
import { jsonSchema } from '../json-schema.ts';
import type { Dispatcher } from '../processes/dispatch.ts';
import type { ReadLiveState } from '../processes/live-state.ts';
import type { CallerRoute, NamedSchema } from '../route.ts';
import { idempotencyKeyHeader, keyedWriteProblems, preferHeader, prefersAsync, writeContext } from './headers.ts';
import { acceptedAnswer, processDocument } from './process-documents.ts';
import { findWorkable, requireLeavable, requireWorkable } from './row-access.ts';

/** What the rows tell of a process. */
export interface StoredProcess {
  stage: string;
  status: string;
  waitsFor: { step: string; dueAt: string; userId: string | null } | null;
  explanation: Record<string, unknown>;
}

export interface ProcessSurface {
  process: Process;
  resource: Resource;
  /** Reads the rows; Problem `not_found` for a record that the caller may not see. */
  read(actor: Actor, recordId: string): Promise<StoredProcess>;
}

export interface ProcessDependencies {
  records: RecordsService;
  dispatcher: Dispatcher;
  liveState: ReadLiveState;
}

/** The routes of one process: its state, and one command for each message that it declares. */
export function processRoutes(surface: ProcessSurface, dependencies: ProcessDependencies): CallerRoute[] {
  const { process } = surface;
  return [
    stateRoute(surface, dependencies.liveState),
    ...Object.entries(process.messages).map(([name, message]) => commandRoute(surface, dependencies, name, message)),
  ];
}

function stateRoute({ process, resource, read }: ProcessSurface, liveState: ReadLiveState): CallerRoute {
  return {
    access: 'caller',
    tag: resource.path,
    feature: resource.feature,
    method: 'get',
    path: `/crm/v1/${process.path}/{id}/process`,
    operationId: `get${resource.definition.name}Process`,
    summary: `Where the process of one ${resource.title} stands, why, and what may be sent to it`,
    problems: ['forbidden', 'not_found'],
    answers: { 200: { description: 'As the rows tell it; `workflow` adds what is live', content: processDocument } },
    handle: async ({ actor, id }) => {
      const [{ stage, status, waitsFor, explanation }, live] = await Promise.all([
        read(actor, id),
        liveState(process.workflowId(id)),
      ]);
      const workflow = { id: process.workflowId(id), type: process.workflowType, ...live };
      return {
        status: 200,
        body: { workflow, stage, status, waitsFor, messages: messagesNow(process, id, stage), explanation },
      };
    },
  };
}

/** The messages that are legal in a stage, with who may send them and how. */
function messagesNow(process: Process, id: string, stage: string) {
  return legalMessages(process, stage).map((message) => ({
    ...message,
    method: 'POST',
    href: `/crm/v1/${process.path}/${id}/${kebab(message.name)}`,
    roles: roles.filter((role) => grantedScope([role], message.permission) !== null),
  }));
}

function commandRoute(
  { process, resource }: ProcessSurface,
  { records, dispatcher }: ProcessDependencies,
  name: string,
  message: Message,
): CallerRoute {
  const title = `${resource.definition.name}${name.charAt(0).toUpperCase()}${name.slice(1)}`;
  const content: NamedSchema = { name: title, schema: jsonSchema(message.payload, 'input') };
  const record = { $ref: `#/components/schemas/${resource.definition.name}` };
  return {
    access: 'caller',
    tag: resource.path,
    feature: resource.feature,
    method: 'post',
    path: `/crm/v1/${process.path}/{id}/${kebab(name)}`,
    operationId: `${name}${resource.definition.name}`,
    summary: message.summary,
    description: `Legal while the ${resource.title} is ${message.stages.join(' or ')}. Needs the permission ${message.permission}.`,
    parameters: [idempotencyKeyHeader, preferHeader],
    body: {
      content,
      example: exampleOf(content.schema, { text: 'Example', index: 0 }),
      optional: message.payload.safeParse({}).success,
    },
    problems: [
      ...keyedWriteProblems,
      'not_found',
      'duplicate',
      'illegal_stage',
      'rule_violation',
      'reference_not_found',
    ],
    answers: {
      200: {
        description: 'The new state',
        content: { name: `${resource.definition.name}Answer`, schema: { allOf: [record] } },
      },
      202: acceptedAnswer,
    },
    handle: async (request) => {
      const { actor, id } = request;
      return dispatcher.dispatch(writeContext(request), {
        process,
        message: name,
        async check() {
          const body = parseOrRefuse(message.payload, request.body, `The payload of ${name}`);
          const record = await findWorkable(records, actor, resource, id, message.permission);
          await requireWorkable(records, actor, resource, body, message);
          await requireLeavable(records, actor, resource, record, message);
          const { status, stage } = record;
          return { recordId: id, body, present: { status: String(status), stage: String(stage) } };
        },
        respondAsync: prefersAsync(request),
      });
    },
  };
}

const kebab = (name: string): string => name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
