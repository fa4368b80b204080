import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Worker } from 'node:worker_threads';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { createAdaptorServer } from '@hono/node-server';
import { createMailReader, type MailReader } from '../../../api/mail/reader.ts';
import { signedHeaders } from '../../../runtime/signed-headers.ts';
import { databaseFixture } from '../../db/database-fixture.ts';
import { makeOrganization } from '../../support/factories.ts';
import { mailSecret, testApi, type TestApi } from '../support.ts';
import { mailSource } from './mails.ts';

/** Within every limit of size, and nothing that a person would write: it takes seconds to read. */
const hostile = (to = 'support@acme.example') =>
  mailSource({
    to,
    headers: ['Content-Type: text/html'],
    body: `${'<div>'.repeat(12)}\r\n`.repeat(140_000),
  });
/** Marks that composing has to put in order: without a bound that alone takes minutes, and nothing can end it. */
const marked = mailSource({
  headers: ['Content-Type: text/plain; charset=utf-8'],
  body: `a${'\u0301\u0323'.repeat(200_000)}`,
});

describe('reading beside the event loop', () => {
  let reader: MailReader;
  beforeAll(() => {
    reader = createMailReader(500);
  });
  afterAll(() => reader?.close());

  it('reads as it would here', async () => {
    const { mail } = await reader.read(mailSource({ subject: 'Hi' }));
    expect(mail).toMatchObject({ subject: 'Hi', from: { address: 'ada@example.com' } });
  });

  it('leaves nothing of a mail behind on the thread that read it', async () => {
    await reader.read(mailSource());
    const on = jest.spyOn(Worker.prototype, 'on');
    const off = jest.spyOn(Worker.prototype, 'off');
    try {
      for (const subject of ['One', 'Two', 'Three']) await reader.read(mailSource({ subject }));
      expect(on.mock.calls.length).toBeGreaterThan(0);
      expect(off.mock.calls).toHaveLength(on.mock.calls.length);
    } finally {
      on.mockRestore();
      off.mockRestore();
    }
  });

  it('refuses as it would here', async () => {
    await expect(reader.read(mailSource({ from: 'nobody' }))).rejects.toMatchObject({
      name: 'Problem',
      code: 'invalid',
      errors: [{ path: 'From', message: 'must name one mail address' }],
    });
  });

  it('ends a mail that takes too long, and reads the next ones', async () => {
    const both = [reader.read(hostile()), reader.read(hostile())];
    for (const each of await Promise.allSettled(both))
      expect(each).toMatchObject({ status: 'rejected', reason: { code: 'rule_violation' } });
    const next = ['Next', 'Last'].map((subject) => reader.read(mailSource({ subject })));
    expect((await Promise.all(next)).map(({ mail }) => mail.subject)).toEqual(['Next', 'Last']);
  });

  it('puts off what would wait too long', async () => {
    const large = mailSource({ body: 'x'.repeat(9_000_000) });
    const patient = createMailReader();
    const crowd = await Promise.allSettled(Array.from({ length: 12 }, () => patient.read(large)));
    const putOff = crowd.filter(({ status }) => status === 'rejected');
    expect(putOff.length).toBeGreaterThan(0);
    for (const each of putOff) expect(each).toMatchObject({ reason: { code: 'unavailable' } });
    await expect(patient.read(mailSource())).resolves.toBeDefined();
    await patient.close();
  });

  it('reads marks without end within the time of a mail', async () => {
    expect((await reader.read(marked)).mail.text.length).toBeLessThanOrEqual(20_000);
  });
});

describe('the API while it reads a hostile mail', () => {
  const fixture = databaseFixture();
  let api: TestApi;
  let server: Server;
  let base: string;
  const reader = createMailReader(500);
  beforeAll(async () => {
    const supportAddress = 'support@{organization}.example';
    api = await testApi(fixture.url, {
      inboundMail: { secret: mailSecret, supportAddress, relay: fixture.relay, reader },
    });
    server = createAdaptorServer({ fetch: api.app.fetch, createServer }) as Server;
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(async () => {
    await new Promise((closed) => server?.close(closed));
    await Promise.all([api?.close(), reader.close()]);
  });

  const post = (body: Buffer) =>
    fetch(`${base}/events/mail`, {
      method: 'POST',
      headers: { 'Content-Type': 'message/rfc822', ...signedHeaders(mailSecret, body, new Date()) },
      body: new Uint8Array(body),
    });

  it('answers others, refuses the mail when its time is over, and takes the next one', async () => {
    const org = await makeOrganization(fixture.app);
    const to = `support@${org.slug}.example`;
    let isRead = false;
    const refused = post(hostile(to)).finally(() => {
      isRead = true;
    });
    let answered = 0;
    while (!isRead) {
      expect((await fetch(`${base}/healthz`)).status).toBe(200);
      answered += 1;
      await new Promise((later) => setTimeout(later, 20));
    }
    expect(answered).toBeGreaterThan(10);
    const answer = await refused;
    expect([answer.status, ((await answer.json()) as { code: string }).code]).toEqual([422, 'rule_violation']);
    expect((await post(mailSource({ to }))).status).toBe(202);
  });
});
