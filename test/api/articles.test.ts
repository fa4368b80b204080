import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { v7 as uuidv7 } from 'uuid';
import { inOrganization } from '../../db/database.ts';
import { articles } from '../../db/tickets/article.ts';
import { suggestArticles } from '../../db/tickets/suggestions.queries.ts';
import { databaseFixture } from '../db/database-fixture.ts';
import {
  adminOf,
  type Made,
  make,
  makeAccount,
  makeOrganization,
  makePerson,
  makeTicket,
  makeUser,
  suffix,
  type TestOrganization,
} from '../support/factories.ts';
import { problemOf, testApi, type TestApi } from './support.ts';

const fixture = databaseFixture();
let api: TestApi;
let org: TestOrganization;
let article: Made;

beforeAll(async () => {
  api = await testApi(fixture.url);
});
afterAll(() => api.close());
beforeEach(async () => {
  org = await makeOrganization(fixture.app);
  article = await makeArticle();
});

function makeArticle(overrides: Record<string, unknown> = {}): Promise<Made> {
  const body = 'Hold the round button for ten seconds.';
  return make(org, articles, { title: 'Reset the printer', slug: `article-${suffix()}`, body, ...overrides });
}

const send = (method: string, path: string, role: string, options: { userId?: string; body?: unknown } = {}) =>
  api.send(method, `/crm/v1/${path}`, { organizationId: org.id, roles: [role], ...options });
const command = (name: string, role = 'support', id = article.id) => send('POST', `articles/${id}/${name}`, role);

/** Statuses and titles of what a role sees in a list. */
async function listed(role: string, query = ''): Promise<unknown[]> {
  const { data } = (await (await send('GET', `articles${query}`, role)).json()) as { data: Made[] };
  return data.map(({ status, title }) => [status, title]);
}

describe('an article', () => {
  it('is a draft until it is published, once for all repetitions of the command', async () => {
    expect(article).toMatchObject({ status: 'draft', publishedAt: null });
    const published = await command('publish');
    expect(published.status).toBe(200);
    expect(published.headers.get('ETag')).toBe('"2"');
    const record = (await published.json()) as Made;
    expect(record).toMatchObject({ id: article.id, status: 'published', version: 2 });
    expect(record['publishedAt']).toEqual(expect.any(String));
  });

  it('keeps when it was first published, through unpublish and archive', async () => {
    const first = ((await (await command('publish')).json()) as Made)['publishedAt'];
    expect(await (await command('unpublish')).json()).toMatchObject({ status: 'draft', publishedAt: first });
    expect(await (await command('archive')).json()).toMatchObject({ status: 'archived', publishedAt: first });
    expect(await (await command('publish')).json()).toMatchObject({ status: 'published', publishedAt: first });
  });

  it('says what it is when a command is not legal', async () => {
    const refused = await command('unpublish');
    expect([refused.status, await problemOf(refused)]).toMatchObject([
      409,
      { code: 'illegal_stage', detail: 'unpublish is legal while the article is published; it is draft.' },
    ]);
  });

  it('changes its state by command alone', async () => {
    const refused = await api.send('PATCH', `/crm/v1/articles/${article.id}`, {
      organizationId: org.id,
      roles: ['support'],
      body: { status: 'published' },
      headers: { 'if-match': '"1"' },
    });
    expect([refused.status, (await problemOf(refused)).code]).toEqual([422, 'process_owned']);
  });

  it('leaves audit and timeline', async () => {
    await command('publish');
    const { data } = (await (await send('GET', `articles/${article.id}/timeline`, 'support')).json()) as {
      data: Made[];
    };
    expect(data.map(({ summary }) => summary)).toContain('article updated: status, publishedAt');
    const audit = (await (await send('GET', `articles/${article.id}/audit`, 'manager')).json()) as { data: Made[] };
    expect(audit.data).toContainEqual(
      expect.objectContaining({ field: 'status', before: 'draft', after: 'published' }),
    );
  });

  it('is found by its words and by parts of them', async () => {
    await makeArticle({ title: 'Change your password', body: 'Open the settings.' });
    expect(await listed('support', '?q=button+seconds')).toEqual([['draft', 'Reset the printer']]);
    expect(await listed('support', '?q=passw')).toEqual([['draft', 'Change your password']]);
  });

  it('has one name in addresses', async () => {
    const again = await send('POST', 'articles', 'support', {
      body: { title: 'Another', slug: article['slug'], body: 'Text.' },
    });
    expect([again.status, (await problemOf(again)).code]).toEqual([409, 'duplicate']);
  });
});

describe('the roles of articles', () => {
  it('shows drafts to those who write them, and published ones to sales', async () => {
    const published = await makeArticle({ title: 'Published' });
    await command('publish', 'support', published.id);
    expect(await listed('support')).toHaveLength(2);
    expect(await listed('sales_rep')).toEqual([['published', 'Published']]);
    expect(await listed('sales_rep', '?q=printer')).toEqual([]);
    expect((await send('GET', `articles/${article.id}`, 'sales_rep')).status).toBe(404);
    expect((await send('GET', `articles/${article.id}/timeline`, 'sales_rep')).status).toBe(404);
    expect((await send('GET', 'articles', 'marketing')).status).toBe(403);
  });

  it.each(['publish', 'unpublish', 'archive'])('lets nobody else %s one', async (name) => {
    expect((await command(name, 'marketing')).status).toBe(403);
    await command('publish');
    expect((await command(name, 'sales_rep')).status).toBe(403);
    expect((await command(name, 'support', uuidv7())).status).toBe(404);
    const foreign = await makeOrganization(fixture.app);
    const other = await api.send('POST', `/crm/v1/articles/${article.id}/${name}`, { organizationId: foreign.id });
    expect(other.status).toBe(404);
  });
});

interface Suggested {
  data: { article: { id: string; title: string }; score: number; why: { words: string[]; titleSimilarity: number } }[];
}

describe('suggestions for a ticket', () => {
  let requester: Made;

  beforeEach(async () => {
    requester = await makePerson(org);
    await command('publish');
    for (const [title, body] of [
      ['Change your password', 'Open the settings and choose a new password.'],
      ['Invoices by mail', 'We send an invoice at the end of the month.'],
      ['Drucker zurücksetzen', 'Halten Sie den runden Knopf zehn Sekunden.'],
      ['Opening hours', 'We are there from nine to five.'],
    ] as const)
      await command('publish', 'support', (await makeArticle({ title, body })).id);
  });

  async function suggested(ticket: Record<string, unknown>, role = 'support', userId?: string) {
    const { id } = await makeTicket(org, requester, ticket);
    const answer = await send('GET', `tickets/${id}/suggested-articles`, role, userId === undefined ? {} : { userId });
    return { status: answer.status, ...((await answer.json()) as Suggested) };
  }
  const titles = async (ticket: Record<string, unknown>) =>
    (await suggested(ticket)).data.map((each) => each.article.title);

  it('are the nearest first, each with why', async () => {
    const { data } = await suggested({ subject: 'My printer is stuck', description: 'Which button do I press?' });
    expect(data[0]).toMatchObject({
      article: { id: article.id, title: 'Reset the printer', language: 'en' },
      why: { words: ['printer', 'button'] },
    });
    const scores = data.map(({ score }) => score);
    expect(scores).toEqual(scores.toSorted((a, b) => b - a));
    for (const score of scores) expect(score >= 0 && score <= 1).toBe(true);
  });

  it('forgive typing errors in the subject, and accents', async () => {
    expect(await titles({ subject: 'chang my pasword' })).toContain('Change your password');
    expect(await titles({ subject: 'Drucker zurucksetzen' })).toContain('Drucker zurücksetzen');
  });

  it('are none where nothing is alike, and none of what is not published', async () => {
    expect(await titles({ subject: 'Xylophone', description: 'zzz' })).toEqual([]);
    await command('archive');
    expect(await titles({ subject: 'Reset the printer' })).not.toContain('Reset the printer');
  });

  it('pass over words that most articles hold', async () => {
    for (let n = 0; n < 5; n++) {
      const { id } = await makeArticle({ title: `Page ${suffix()}`, body: 'Everything about gadgets' });
      await command('publish', 'support', id);
    }
    const { data } = await suggested({ subject: 'Everything about the gadgets and the printer' });
    expect(data[0]?.article.title).toBe('Reset the printer');
    expect(data.flatMap(({ why }) => why.words)).not.toContain('gadgets');
  });

  it('are at most five', async () => {
    for (let n = 0; n < 8; n++) {
      const { id } = await makeArticle({ title: 'Reset the printer' });
      await command('publish', 'support', id);
    }
    expect(await titles({ subject: 'Reset the printer' })).toHaveLength(5);
  });

  it('take a ticket whose text is hostile to queries', async () => {
    const hostile = `'); drop table x; -- & | ! ( ) : * <-> \\ "a" \u{1f600}`;
    expect((await suggested({ subject: hostile, description: hostile.repeat(100) })).status).toBe(200);
  });

  it('come for a log of thousands of words as for a question, however many articles there are', async () => {
    const words = `(select string_agg('w' || (random() * 5000)::int, ' ') from generate_series(1, 100 + 0 * n))`;
    await inOrganization(fixture.app, org.id, (em) =>
      em.execute(
        `insert into crm_core.crm_articles (article_id, organization_id, title, slug, body, status, created_at, created_by, updated_at, updated_by, version)
         select gen_random_uuid(), ?, 'Page ' || n, 'page-' || n, ${words}, 'published', now(), 'x', now(), 'x', 1
         from generate_series(1, 2000) n`,
        [org.id],
      ),
    );
    // Looking for each word in each article was cut off by the limit of a statement.
    const log = Array.from({ length: 3_300 }, (_, n) => `w${n}`).join(' ');
    const { id } = await makeTicket(org, requester, { subject: 'Page 77', description: log });
    expect((await suggestArticles(fixture.app, adminOf(org), id))[0]).toMatchObject({ article: { title: 'Page 77' } });
  });

  it('are for those who may see the ticket', async () => {
    const owner = await makeUser(org);
    const account = await makeAccount(org, { ownerUserId: owner.id });
    const ticket = { subject: 'Reset the printer', accountId: account.id };
    expect((await suggested(ticket, 'sales_rep', owner.id)).status).toBe(200);
    expect((await suggested(ticket, 'sales_rep')).status).toBe(404);
    expect((await suggested(ticket, 'marketing')).status).toBe(403);
  });
});
