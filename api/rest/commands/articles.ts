import { z } from 'zod';
import type { Database } from '../../../db/database.ts';
import { resourceAt } from '../../../db/registry.ts';
import { type ArticleCommand, articleCommands, moveArticle } from '../../../db/tickets/articles.queries.ts';
import { suggestArticles } from '../../../db/tickets/suggestions.queries.ts';
import { parseOrRefuse } from '../../../db/model/schemas.ts';
import { jsonSchema } from '../../json-schema.ts';
import type { CallerRoute } from '../../route.ts';
import { idempotencyKeyHeader, keyedWriteProblems, writeContext } from '../headers.ts';
import { written } from '../records.ts';

const emptyBody = z.strictObject({});

const summaries: Readonly<Record<ArticleCommand, string>> = {
  publish: 'Publish one article: everybody who may read articles sees it, and tickets are answered with it',
  unpublish: 'Take one article back into a draft',
  archive: 'Archive one article: kept, and suggested no more',
};

/** `POST /crm/v1/articles/{id}/publish`, `…/unpublish`, `…/archive`: plain writes, since nothing waits for an article. */
export function articleRoutes(database: Database): CallerRoute[] {
  const articles = resourceAt('articles');
  return (Object.keys(articleCommands) as ArticleCommand[]).map((command) => ({
    access: 'caller',
    tag: articles.path,
    feature: articles.feature,
    method: 'post',
    path: `/crm/v1/articles/{id}/${command}`,
    operationId: `${command}Article`,
    summary: summaries[command],
    description: `Legal while the article is ${articleCommands[command].from.join(' or ')}. Needs the permission articles:write.`,
    parameters: [idempotencyKeyHeader],
    body: { content: { name: 'ArticleCommand', schema: jsonSchema(emptyBody, 'input') }, example: {}, optional: true },
    problems: [...keyedWriteProblems, 'not_found', 'illegal_stage'],
    answers: {
      200: {
        description: 'As it is now',
        content: { name: 'ArticleAnswer', schema: { allOf: [{ $ref: '#/components/schemas/Article' }] } },
        headers: ['ETag'],
      },
    },
    handle: async (request) => {
      const write = writeContext(request);
      parseOrRefuse(emptyBody, request.body, `The command ${command}`);
      return written(articles, await moveArticle(database, write, request.id, command));
    },
  }));
}

/** `GET /crm/v1/tickets/{id}/suggested-articles`: what the knowledge base says about the like of this ticket. */
export function suggestionsRoute(database: Database): CallerRoute {
  const suggestion = z.object({
    article: z.object({
      id: z.uuid(),
      title: z.string(),
      slug: z.string(),
      summary: z.string().nullable(),
      language: z.string(),
    }),
    score: z.number().describe('0 to 1, for comparing suggestions of one ticket.'),
    why: z.object({
      words: z.array(z.string()).describe('Words of the ticket that the article holds, and most others do not.'),
      titleSimilarity: z.number().describe('How alike subject and title are, 0 to 1.'),
    }),
  });
  return {
    access: 'caller',
    tag: 'tickets',
    feature: 'articles',
    method: 'get',
    path: '/crm/v1/tickets/{id}/suggested-articles',
    operationId: 'suggestArticles',
    summary: 'Published articles that may answer one ticket, the nearest first',
    problems: ['forbidden', 'not_found'],
    answers: {
      200: {
        description: 'At most five',
        content: { name: 'ArticleSuggestions', schema: jsonSchema(z.object({ data: z.array(suggestion) }), 'output') },
      },
    },
    handle: async ({ actor, id }) => ({ status: 200, body: { data: await suggestArticles(database, actor, id) } }),
  };
}
