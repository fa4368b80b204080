import type { Answer } from '../automation/answers.queries.ts';
import { writeOnce, type WriteContext } from '../automation/ledger.queries.ts';
import type { Database } from '../database.ts';
import { Problem } from '../model/problem.ts';
import { type Outcome, type RowWrite, saveRow } from '../model/row-writes.ts';
import { findWritable } from '../model/row-access.ts';
import { articles } from './article.ts';

/** What can be done with an article, and from which states: `to` is its state afterwards. */
export const articleCommands = {
  publish: { from: ['draft', 'archived'], to: 'published' },
  unpublish: { from: ['published'], to: 'draft' },
  archive: { from: ['draft', 'published'], to: 'archived' },
} as const;

export type ArticleCommand = keyof typeof articleCommands;

/** Moves an article on, once. Problems: `not_found`, `forbidden`, `illegal_stage`. */
export function moveArticle(
  database: Database,
  write: WriteContext,
  id: string,
  command: ArticleCommand,
): Promise<Answer> {
  return writeOnce(database, write, (em, commandId) =>
    moveArticleRow({ em, write, commandId, resource: articles }, id, command),
  );
}

/** The same within a transaction. `publishedAt` is that of the first time. */
export async function moveArticleRow(rowWrite: RowWrite, id: string, command: ArticleCommand): Promise<Outcome> {
  const { em, write } = rowWrite;
  const row = await findWritable(em, write.actor, articles, id);
  const { from, to } = articleCommands[command];
  const status = String(row['status']);
  if (!from.some((legal) => legal === status)) {
    throw new Problem(
      'illegal_stage',
      `${command} is legal while the article is ${from.join(' or ')}; it is ${status}.`,
    );
  }
  const publishedAt = row['publishedAt'] ?? (to === 'published' ? write.receivedAt : null);
  return saveRow(rowWrite, row, { status: to, publishedAt }, 'updated');
}
