import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { createAdaptorServer } from '@hono/node-server';
import nodemailer from 'nodemailer';
import { mostPerHour } from '../../api/mail/arrivals.ts';
import { inOrganization } from '../../db/database.ts';
import { anyFreePort } from '../../runtime/ports.ts';
import { startSupportMailbox, type SupportMailbox } from '../../runtime/support-mailbox.ts';
import { mailSecret, testApi, type TestApi } from '../api/support.ts';
import { databaseFixture } from '../db/database-fixture.ts';
import { makeOrganization, type TestOrganization } from '../support/factories.ts';

const fixture = databaseFixture();
let api: TestApi;
let server: Server;
let mailbox: SupportMailbox;
let org: TestOrganization;

beforeAll(async () => {
  api = await testApi(fixture.url);
  server = createAdaptorServer({ fetch: api.app.fetch, createServer }) as Server;
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const { port } = server.address() as AddressInfo;
  mailbox = await startSupportMailbox({
    port: await anyFreePort(),
    api: `http://127.0.0.1:${port}`,
    secret: mailSecret,
  });
});
afterAll(async () => {
  await mailbox?.stop();
  await new Promise((closed) => server.close(closed));
  await api?.close();
});
beforeEach(async () => {
  org = await makeOrganization(fixture.app);
});

const send = (to: readonly string[], more: object = {}) =>
  nodemailer.createTransport(mailbox.smtpUrl).sendMail({
    from: 'Ada <ada@example.com>',
    envelope: { from: 'ada@example.com', to: [...to] },
    to: 'hidden@elsewhere.example',
    subject: 'Printer on fire',
    text: 'Please help.',
    ...more,
  });

const stored = (organizationId: string) =>
  inOrganization(fixture.app, organizationId, (em) =>
    em.execute<{ body: { mail: { from: unknown } } }[]>(
      `select body from crm_core.crm_commands where message = 'opened'`,
    ),
  );

describe('the support mailbox', () => {
  it('hands a mail over to the API by its envelope', async () => {
    await send([`support@${org.slug}.example`]);
    expect(await stored(org.id)).toMatchObject([
      { body: { subject: 'Printer on fire', mail: { from: { name: 'Ada', address: 'ada@example.com' } } } },
    ]);
  });

  it('hands it to each organisation that it is for', async () => {
    const other = await makeOrganization(fixture.app);
    await send([org, other].map(({ slug }) => `support@${slug}.example`));
    expect([(await stored(org.id)).length, (await stored(other.id)).length]).toEqual([1, 1]);
  });

  it('takes the null sender of a bounce, which opens nothing', async () => {
    await send([], { envelope: { from: '', to: [`support@${org.slug}.example`] } });
    expect(await stored(org.id)).toEqual([]);
  });

  it('refuses a mail for nobody for good, with the words of the API', async () => {
    await expect(send(['support@nobody-here.example'])).rejects.toMatchObject({
      responseCode: 550,
      response: expect.stringContaining('No organisation has one of the addresses'),
    });
  });

  it('refuses one that is too large', async () => {
    const attachments = [{ filename: 'big', content: Buffer.alloc(9 * 1024 * 1024, 'x') }];
    await expect(send([`support@${org.slug}.example`], { attachments })).rejects.toMatchObject({ responseCode: 552 });
  });

  it('puts a flood off: nothing of it is lost', async () => {
    const from = `flood-${org.slug}@example.com`;
    const flood = { from, headers: { 'Auto-Submitted': 'auto-replied' } };
    for (let n = 0; n < mostPerHour; n++) await send([`support@${org.slug}.example`], flood);
    const [last, other] = await Promise.allSettled([
      send([`support@${org.slug}.example`], flood),
      send([`support@${org.slug}.example`]),
    ]);
    expect(last).toMatchObject({ status: 'rejected', reason: { responseCode: 450 } });
    expect(other.status).toBe('fulfilled');
  });

  it('puts a mail off while the API is away', async () => {
    const lonely = await startSupportMailbox({
      port: await anyFreePort(),
      api: 'http://127.0.0.1:1',
      secret: mailSecret,
    });
    const sending = nodemailer.createTransport(lonely.smtpUrl).sendMail({
      from: 'ada@example.com',
      to: `support@${org.slug}.example`,
      text: 'x',
    });
    await expect(sending).rejects.toMatchObject({ responseCode: 451 });
    await lonely.stop();
  });
});
