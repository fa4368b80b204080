import { z } from 'zod';
import { scopeOf } from '../../workflows/access/permissions.ts';
import { allow } from '../access/access-rules.ts';
import { choice, instant, list, longText, text } from '../model/columns.ts';
import { type AccessRule, resource } from '../model/define-resource.ts';
import { entity } from '../model/entity.ts';
import { slugSchema } from '../model/formats.ts';

const language = z
  .string()
  .max(12)
  .regex(/^[a-z]{2,3}(-[A-Z]{2})?$/, 'must be a language such as en or de-AT')
  .meta({ examples: ['en'] });

/** A page of the knowledge base. */
export const Article = entity('Article', 'crm_articles', {
  key: 'article_id',
  columns: {
    title: text(200),
    /** Its name in addresses. */
    slug: { ...text(120), schema: slugSchema(120) },
    summary: longText(1_000, { nullable: true }),
    /** Markdown. */
    body: longText(100_000),
    category: text(100, { nullable: true }),
    labels: list(20, { default: [] }),
    /** BCP 47. */
    language: { ...text(12, { default: 'en' }), schema: language },
    status: choice(['draft', 'published', 'archived'], { default: 'draft' }),
    publishedAt: instant({ nullable: true }),
  },
  search: ['title', 'summary', 'body'],
  uniques: [['slug']],
  indexes: [
    { name: 'status', columns: 'status, created_at desc, article_id desc', where: 'deleted_at is null' },
    { name: 'category', columns: 'category', where: 'deleted_at is null' },
  ],
});

/** Whoever may not write articles reads the published ones. */
const readable: AccessRule = (actor) => {
  const access = allow('articles:read')(actor);
  return access === true && scopeOf(actor, 'articles:write') === null ? { status: 'published' } : access;
};

export const articles = resource(Article, {
  path: 'articles',
  title: 'article',
  creatable: ['title', 'slug', 'summary', 'body', 'category', 'labels', 'language'],
  patchable: ['title', 'slug', 'summary', 'body', 'category', 'labels', 'language'],
  filterable: ['title', 'slug', 'category', 'labels', 'language', 'status', 'publishedAt'],
  sortable: ['title', 'createdAt', 'updatedAt'],
  read: readable,
  write: allow('articles:write'),
  processOwned: { status: 'publish, unpublish or archive', publishedAt: 'publish' },
  feature: 'articles',
  emits: 'article',
});
