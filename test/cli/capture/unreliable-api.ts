import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';

/** What may go wrong with one request. `lost` carries the write out, and breaks the connection before the answer. */
export type Mishap =
  'none' | 'unavailable' | 'broken' | 'limited' | 'reset' | 'lost' | 'slow' | 'in_progress' | 'later';

interface Lead {
  id: string;
  email: string;
  status: 'open' | 'merged';
  stage: string;
  assignedUserId: string | null;
}

const people = ['01990000-0000-7000-8000-0000000000a1', '01990000-0000-7000-8000-0000000000a2'] as const;

/**
 * An API that keeps its promises (a key is captured once, one open lead for each mail) and misbehaves in every other
 * way: `mishap` decides for each capture, by the number of requests before it and of those with its key.
 */
export class UnreliableApi {
  readonly leads = new Map<string, Lead>();
  /** Requests of captures that came in, in order: their keys. */
  readonly keys: string[] = [];
  authorized = true;
  private readonly answers = new Map<string, { status: number; body: unknown; hash: string }>();
  private readonly server = createServer((request, response) => void this.handle(request, response));
  private readonly mishap: (request: number, attempt: number) => Mishap;
  private readonly decideAfterPolls: number;
  private readonly polls = new Map<string, number>();

  /** A lead answered 202 is decided on when it was asked after so many times. */
  constructor(mishap: (request: number, attempt: number) => Mishap, { decideAfterPolls = 2 } = {}) {
    this.mishap = mishap;
    this.decideAfterPolls = decideAfterPolls;
  }

  /** Starts it on a free port; answers its base URL. */
  async open(): Promise<string> {
    await new Promise<void>((listening) => this.server.listen(0, '127.0.0.1', listening));
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((closed) => this.server.close(closed));
  }

  private async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method, url = '' } = request;
    if (!this.authorized) return problem(response, 401, 'unauthenticated', 'The token has expired.');
    if (method === 'POST' && url === '/v1/leads/capture') return await this.capture(request, response);
    const id = url.split('/').at(-1) ?? '';
    if (url.startsWith('/crm/v1/users/')) return answer(response, 200, { id, fullName: `Person ${id.slice(-2)}` });
    const lead = [...this.leads.values()].find((known) => known.id === id);
    const asked = (this.polls.get(id) ?? 0) + 1;
    this.polls.set(id, asked);
    if (!lead || asked < this.decideAfterPolls) return problem(response, 404, 'not_found', 'There is no such lead.');
    return answer(response, 200, lead);
  }

  private async capture(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const key = String(request.headers['idempotency-key']);
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const hash = Buffer.concat(chunks).toString();
    const body = JSON.parse(hash) as { email?: string };
    const attempt = this.keys.filter((earlier) => earlier === key).length;
    const mishap = this.mishap(this.keys.push(key) - 1, attempt);
    if (mishap === 'reset') return void request.socket.destroy();
    if (mishap === 'unavailable') return problem(response, 503, 'unavailable', 'The database is away.');
    if (mishap === 'broken') return void response.writeHead(502).end('<html>bad gateway</html>');
    if (mishap === 'limited') return problem(response.setHeader('Retry-After', '1'), 429, 'rate_limited', 'Too many.');
    if (mishap === 'in_progress') return problem(response, 409, 'in_progress', 'Still running.');
    if (mishap === 'slow') await pause(150);
    const known = this.answers.get(key);
    if (known && known.hash !== hash) return problem(response, 422, 'idempotency_key_reused', 'Another body.');
    if (!known && !body.email?.includes('@')) {
      return problem(response, 400, 'invalid', 'Not valid.', [{ path: 'email', message: 'is no mail address' }]);
    }
    const { status, body: said } = known ?? this.write(key, hash, String(body.email));
    if (mishap === 'lost') return void request.socket.destroy();
    if (known) response.setHeader('Idempotency-Replayed', 'true');
    if (mishap === 'later')
      return answer(response, 202, { id: this.leads.get(key)?.id, status: 'open', stage: 'captured' });
    return answer(response, status, said);
  }

  private write(key: string, hash: string, email: string) {
    const survivor = [...this.leads.values()].find((lead) => lead.email === email && lead.status === 'open');
    const id = `01990000-0000-7000-8000-${String(this.leads.size).padStart(12, '0')}`;
    const lead: Lead = survivor
      ? { id, email, status: 'merged', stage: 'merged', assignedUserId: null }
      : {
          id,
          email,
          status: 'open',
          stage: 'assigned',
          assignedUserId: people[this.leads.size % people.length] ?? null,
        };
    this.leads.set(key, lead);
    const written = { status: survivor ? 200 : 201, body: survivor ?? lead, hash };
    this.answers.set(key, written);
    return written;
  }
}

function answer(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

function problem(response: ServerResponse, status: number, code: string, detail: string, errors: unknown[] = []): void {
  response
    .writeHead(status, { 'content-type': 'application/problem+json' })
    .end(JSON.stringify({ status, code, detail, errors }));
}
