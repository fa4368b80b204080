import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { v7 as uuidv7 } from 'uuid';
import { inOrganization } from '../../db/database.ts';
import { LeadStep } from '../../db/leads/lead-step.ts';
import { baseColumns } from '../../db/model/changes.ts';
import type { Resource } from '../../db/model/define-resource.ts';
import { insertRows } from '../../db/model/set-based.ts';
import { resources } from '../../db/registry.ts';
import { Attachment } from '../../db/tickets/attachment.ts';
import { conversationMessages } from '../../db/tickets/conversation-message.ts';
import { TicketStep } from '../../db/tickets/ticket-step.ts';
import { sampleRecord } from '../db/samples.ts';
import { adminOf } from '../support/factories.ts';
import { type Product, startProduct } from '../support/product.ts';
import { expectClean, settle } from '../support/whole-books.ts';
import { capture } from '../support/whole-load.ts';
import { makeTenant, stranger, type Tenant } from '../support/whole-tenant.ts';

interface Operation {
  method: string;
  path: string;
  body: unknown;
}

interface OpenApi {
  paths: Record<string, Record<string, { requestBody?: { content: Record<string, { example?: unknown }> } }>>;
}

let product: Product;
let theirs: Tenant;
let ours: Tenant;
let operations: Operation[];
const foreign = new Map<string, string>();

beforeAll(async () => {
  product = await startProduct();
  [theirs, ours] = await Promise.all([makeTenant(product), makeTenant(product)]);
  await live(theirs);
  await liveTickets(theirs);
  for (const resource of resources)
    foreign.set(resource.path, (await rowOf(theirs, resource)) ?? (await sampleRecord(theirs.org, resource)).id);
  const { paths } = (await (await fetch(`${product.api}/openapi.json`)).json()) as OpenApi;
  operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { requestBody }]) => ({
      method: method.toUpperCase(),
      path,
      body: requestBody && (Object.values(requestBody.content)[0]?.example ?? {}),
    })),
  );
}, 240_000);
afterAll(() => product?.stop(), 120_000);

/** Has a tenant make what hangs on leads, since a sample of it would bring a lead that nobody captured. */
async function live({ admin, org }: Tenant): Promise<void> {
  const body = stranger({ company: 'Analytical Engines', externalRefs: [{ system: 'cms', externalId: '4711' }] });
  const { answer } = await capture(admin, body);
  const leadId = String(answer.body['id']);
  await capture(admin, body);
  const found = { statement: 'Yes', reference: 'call' };
  const evidence = { budget: found, authority: found, need: found, timing: found };
  for (const [command, payload] of [
    ['touch', { channel: 'call', note: 'Hello' }],
    ['qualify', { evidence }],
  ] as const) {
    expect((await admin.send('POST', `/crm/v1/leads/${leadId}/${command}`, { body: payload })).status).toBe(200);
  }
  expect(
    (await admin.send('POST', '/crm/v1/property-interests', { body: { leadId, projectId: uuidv7() } })).status,
  ).toBe(201);
  const at = new Date();
  const step = {
    leadId,
    round: 1,
    step: 'remind_owner',
    dueAt: at,
    detectedAt: at,
    userId: null,
    outcome: 'owner reminded',
  };
  const row = { id: uuidv7(), ...baseColumns({ organizationId: org.id, actor: adminOf(org), at }), ...step };
  await inOrganization(product.database, org.id, (em) => insertRows(em, [{ into: LeadStep, rows: [row] }]));
}

/** The same for what hangs on tickets. */
async function liveTickets(tenant: Tenant): Promise<void> {
  const { admin, org } = tenant;
  const made = async (path: string, body: object) => {
    const answer = await admin.send('POST', `/crm/v1/${path}`, { body });
    expect([path, answer.status]).toEqual([path, 201]);
    return String(answer.body['id']);
  };
  const targets = { P3: { first_response: 30, next_response: 60, resolution: 240 } };
  await made('sla-policies', { name: 'Standard', position: 1, when: 'true', targets });
  const requester = { fullName: 'Ada Lovelace', email: `ada@${uuidv7()}.example` };
  const ticketId = await made('tickets', { subject: 'The invoice is wrong', requester });
  expect((await admin.send('POST', `/crm/v1/tickets/${ticketId}/note`, { body: { text: 'Seen.' } })).status).toBe(200);
  const messageId = (await rowOf(tenant, conversationMessages)) ?? '';
  const at = new Date();
  const base = () => ({ id: uuidv7(), ...baseColumns({ organizationId: org.id, actor: adminOf(org), at }), ticketId });
  const step = { step: 'warning_50', life: 0, dueAt: at, detectedAt: at, userId: null, outcome: 'warned' };
  const file = { fileName: 'a.txt', mediaType: 'text/plain', bytes: 1, sha256: '0'.repeat(64), inline: false };
  await inOrganization(product.database, org.id, (em) =>
    insertRows(em, [
      { into: TicketStep, rows: [{ ...base(), slaClockId: null, target: null, ...step }] },
      { into: Attachment, rows: [{ ...base(), conversationMessageId: messageId, ...file }] },
    ]),
  );
}

async function rowOf({ org }: Tenant, { definition }: Resource): Promise<string | undefined> {
  const sql = `select ${definition.key} as id from crm_core.${definition.table} where organization_id = $1 and deleted_at is null limit 1`;
  return (await product.query<{ id: string }>(sql, [org.id]))[0]?.id;
}

describe("another organisation's records", () => {
  it.each(resources.map(({ path }) => path))('are not found by any route of %s', async (family) => {
    const id = foreign.get(family) ?? '';
    const own = operations.filter(({ path }) => path.startsWith(`/crm/v1/${family}/{id}`));
    expect(own.length).toBeGreaterThanOrEqual(3);
    const answers = await Promise.all(
      own.map(async ({ method, path, body }) => {
        const answer = await ours.admin.send(method, path.replace('{id}', id), {
          ...(body === undefined ? {} : { body }),
          headers: { 'if-match': '*' },
        });
        return `${method} ${path}: ${answer.status} ${String(answer.body['code'])}`;
      }),
    );
    expect(answers).toEqual(own.map(({ method, path }) => `${method} ${path}: 404 not_found`));
    const list = await ours.admin.send('GET', `/crm/v1/${family}?limit=200`);
    expect([list.status, JSON.stringify(list.body).includes(id)]).toEqual([200, false]);
  });

  it('are not found by a bulk request either', async () => {
    const families = resources.filter(({ path }) =>
      operations.some((operation) => operation.path === `/crm/v1/${path}/bulk`),
    );
    for (const { path } of families.filter(({ patchable }) => patchable.length > 0)) {
      const { body } =
        operations.find((operation) => operation.method === 'PATCH' && operation.path === `/crm/v1/${path}/{id}`) ?? {};
      const update = { method: 'update', id: foreign.get(path), version: 1, body };
      const { status, body: answer } = await ours.admin.send('POST', `/crm/v1/${path}/bulk`, {
        body: { operations: [update] },
      });
      expect([path, status, answer['outcomes']]).toMatchObject([path, 200, [{ status: 404 }]]);
    }
  });

  it('and were not touched by all that', async () => {
    await settle(product);
    const changed = await product.query(
      'select from crm_core.crm_commands where organization_id = $1 and message is not null',
      [ours.org.id],
    );
    expect(changed).toEqual([]);
    await expectClean(product);
  });
});
