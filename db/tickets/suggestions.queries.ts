import type { EntityManager } from '@mikro-orm/postgresql';
import type { Actor } from '../access/actor.ts';
import { type Database, inOrganization, organizationOf } from '../database.ts';
import { findVisible, readFilter } from '../model/row-access.ts';
import { articles } from './article.ts';
import type { TicketRow } from './ticket-state.queries.ts';
import { tickets } from './ticket.ts';

/** A published article that may answer a ticket. */
export interface Suggestion {
  article: { id: string; title: string; slug: string; summary: string | null; language: string };
  /** 0 to 1, for comparing suggestions of one ticket. */
  score: number;
  /** Words of the ticket that the article holds, and how alike subject and title are, 0 to 1. */
  why: { words: string[]; titleSimilarity: number };
}

const most = 5;
/** Words of the ticket by which articles are ranked. */
const mostTelling = 200;
/** Below these a likeness is chance. */
const leastScore = 0.1;
const leastSimilarity = 0.25;

// A word that more than half of the articles hold (of four and more) tells nothing: "the" and "please" weigh nothing
// without a list of such words for every language. The words of all articles are looked at once, whatever the ticket holds: a
// customer may have sent a log of thousands. Those rank that the fewest hold.
const suggestSql = `
  with asked as (
    select crm_core.fold(?) as subject,
      tsvector_to_array(to_tsvector('simple', crm_core.fold(?))) as words),
  shelf as materialized (
    select article_id, title, slug, summary, language, to_tsvector('simple', search_text) as lexemes,
      crm_core.fold(title) as plain_title
    from crm_core.crm_articles where organization_id = ? and status = 'published' and deleted_at is null),
  telling as materialized (
    select word from shelf, unnest(tsvector_to_array(lexemes)) as word
    where length(word) > 2 and word in (select unnest(words) from asked)
    group by word having count(*) <= greatest(3, (select count(*) from shelf) / 2)
    order by count(*), word limit ${mostTelling}),
  query as materialized (select string_agg(quote_literal(word), ' | ')::tsquery as words from telling),
  scored as (
    select shelf.*,
      coalesce(ts_rank(setweight(to_tsvector('simple', plain_title), 'A') || lexemes, query.words, 32), 0) as rank,
      greatest(similarity(plain_title, asked.subject), word_similarity(plain_title, asked.subject)) as likeness
    from shelf, query, asked)
  select article_id as id, title, slug, summary, language, round(likeness::numeric, 2)::float as "titleSimilarity",
    round(((rank + likeness) / 2)::numeric, 3)::float as score,
    array(select word from telling where best.lexemes @@ quote_literal(word)::tsquery order by length(word) desc, word limit 10)
      as words
  from (
    select * from scored where (rank > 0 or likeness >= ?) and (rank + likeness) / 2 >= ?
    order by (rank + likeness) desc, article_id limit ?) best
  order by (rank + likeness) desc, article_id`;

/**
 * The published articles nearest to a ticket's text, the best first, at most five. Problems: `not_found` for a ticket
 * that the caller may not see, `forbidden` for a role that may read no articles.
 */
export async function suggestArticles(database: Database, actor: Actor, ticketId: string): Promise<Suggestion[]> {
  return inOrganization(database, actor.organizationId, async (em) => {
    readFilter(actor, articles);
    const { subject, description } = (await findVisible(em, actor, tickets, ticketId)) as unknown as TicketRow;
    return nearest(em, subject, description ?? '');
  });
}

type Found = Suggestion['article'] & Pick<Suggestion, 'score'> & Suggestion['why'];

async function nearest(em: EntityManager, subject: string, description: string): Promise<Suggestion[]> {
  const found: Found[] = await em.execute(suggestSql, [
    subject,
    `${subject}\n${description}`,
    organizationOf(em),
    leastSimilarity,
    leastScore,
    most,
  ]);
  return found.map(({ score, words, titleSimilarity, ...article }) => ({
    article,
    score,
    why: { words, titleSimilarity },
  }));
}
