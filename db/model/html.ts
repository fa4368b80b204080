import sanitizeHtml, { type IOptions } from 'sanitize-html';

/** Longer HTML is not kept: the text of the message stands for it. UTF-16 units. */
export const longestHtml = 200_000;

const blocks = ['p', 'div', 'br', 'hr', 'h1', 'h2', 'h3', 'h4', 'h5', 'h6', 'ul', 'ol', 'li', 'dl', 'dt', 'dd'];
const tables = ['table', 'caption', 'thead', 'tbody', 'tfoot', 'tr', 'th', 'td'];
const words = ['span', 'b', 'strong', 'i', 'em', 'u', 's', 'del', 'ins', 'sub', 'sup', 'small', 'code', 'pre', 'a'];
const silent = ['script', 'style', 'textarea', 'option', 'noscript', 'title', 'iframe', 'object', 'svg', 'math'];

// By rule: no script, no style of its own, no form, no frame, and nothing that is fetched by looking at it. A link says
// where it goes and tells nobody where it was clicked; an image, external or not, is its alternative text.
const safe: IOptions = {
  allowedTags: [...blocks, ...tables, ...words, 'blockquote'],
  allowedAttributes: { a: ['href', 'rel', 'target'], td: ['colspan', 'rowspan'], th: ['colspan', 'rowspan'] },
  allowedSchemes: ['http', 'https', 'mailto', 'tel'],
  allowProtocolRelative: false,
  nonTextTags: silent,
  nestingLimit: 100,
  parseStyleAttributes: false,
  transformTags: {
    a: (tagName, { href = '' }) => ({
      tagName,
      attribs: { href, rel: 'noopener noreferrer nofollow', target: '_blank' },
    }),
    img: (_tagName, { alt = '' }) => ({
      tagName: 'span',
      attribs: {},
      text: alt.trim() === '' ? '' : `[${alt.trim()}]`,
    }),
  },
};

/** HTML from outside as it may be stored and shown; null when nothing is left of it or it is longer than `longestHtml`. */
export function cleanHtml(html: string): string | null {
  if (html.length > longestHtml) return null;
  const clean = sanitizeHtml(storable(html), safe).trim();
  return clean === '' || clean.length > longestHtml ? null : clean;
}

/** What HTML says as plain text, one line for each block; what it quotes (`blockquote`) only when it says nothing else. */
export function htmlText(html: string): string {
  const start = storable(html.slice(0, longestHtml));
  return plainText(start, [...silent, 'blockquote']) || plainText(start, silent);
}

const lineBreaks = /<br \/>|<\/(?:p|div|h[1-6]|li|tr|pre)>/g;
const entities: Readonly<Record<string, string>> = { '&lt;': '<', '&gt;': '>', '&quot;': '"', '&amp;': '&' };

function plainText(html: string, nonTextTags: string[]): string {
  const allowedTags = ['br', 'p', 'div', 'h1', 'h2', 'h3', 'h4', 'h5', 'h6', 'li', 'tr', 'td', 'th', 'pre'];
  // What comes out holds these tags without attributes, and four entities.
  return sanitizeHtml(html, { ...safe, allowedTags, allowedAttributes: {}, nonTextTags })
    .replaceAll(/\s+/gu, ' ')
    .replaceAll(lineBreaks, '\n')
    .replaceAll(/<\/t[dh]>/g, ' ')
    .replaceAll(/<[^>]*>/g, '')
    .replaceAll(/&(?:lt|gt|quot|amp);/g, (entity) => entities[entity] ?? entity)
    .replaceAll(/ *\n */g, '\n')
    .replaceAll(/\n{3,}/g, '\n\n')
    .trim();
}

// NUL and half a character can't be stored, and would hide a tag from whoever reads them otherwise.
const storable = (html: string): string => html.replaceAll('\u0000', '').toWellFormed();
