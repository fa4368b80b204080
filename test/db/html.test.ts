import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { cleanHtml, htmlText, longestHtml } from '../../db/model/html.ts';

/** Everything by which HTML can act, fetch or hide. */
const dangerous =
  /<(script|style|img|svg|math|iframe|object|embed|form|input|link|meta|base|video|audio|source)\b|\son\w+\s*=|style\s*=|src\s*=|javascript:|data:|url\(|<!--/i;

describe('HTML from outside', () => {
  it.each([
    ['a script', '<p>Hi</p><script>alert(1)</script>', '<p>Hi</p>'],
    ['an event handler', '<p onclick="alert(1)" onerror=alert(2)>Hi</p>', '<p>Hi</p>'],
    ['a broken tag', '<p>Hi</p><scr\u0000ipt>alert(1)</script>', '<p>Hi</p>'],
    ['a style sheet', '<style>p{background:url(https://evil.example/p)}</style><p>Hi</p>', '<p>Hi</p>'],
    ['a style of its own', '<p style="position:fixed;background:url(https://evil.example/p)">Hi</p>', '<p>Hi</p>'],
    ['a frame', '<iframe srcdoc="<script>alert(1)</script>"></iframe><p>Hi</p>', '<p>Hi</p>'],
    ['a form', '<form action="https://evil.example"><input name="pin"></form><p>Hi</p>', '<p>Hi</p>'],
    ['another root', '<svg><a xlink:href="javascript:alert(1)">x</a></svg><p>Hi</p>', '<p>Hi</p>'],
    ['a comment', '<!--[if mso]><p>Outlook</p><![endif]--><p>Hi</p>', '<p>Hi</p>'],
    [
      'an image',
      '<p>Hi<img src="https://evil.example/pixel.png" alt="our logo"></p>',
      '<p>Hi<span>[our logo]</span></p>',
    ],
    ['a tracking pixel', '<p>Hi<img src="https://evil.example/pixel.png"></p>', '<p>Hi<span></span></p>'],
    ['an embedded image', '<p>Hi<img src="cid:logo@x" onerror="alert(1)"></p>', '<p>Hi<span></span></p>'],
  ])('is stored without %s', (_what, html, clean) => {
    expect(cleanHtml(html)).toBe(clean);
  });

  it.each(['javascript:alert(1)', 'JaVa\tScRiPt:alert(1)', 'data:text/html,x', '//evil.example', 'vbscript:x'])(
    'keeps no link to %p',
    (href) => expect(cleanHtml(`<a href="${href}">x</a>`)).not.toMatch(/href/),
  );

  it('keeps links that say where they go, and tells nobody where they were clicked', () => {
    expect(cleanHtml('<a href="https://example.com/?a=1&amp;b=2" onclick="x">x</a>')).toBe(
      '<a href="https://example.com/?a=1&amp;b=2" rel="noopener noreferrer nofollow" target="_blank">x</a>',
    );
  });

  it('keeps the form of a text', () => {
    const html = '<h2>To do</h2><ul><li><b>One</b></li></ul><table><tr><td colspan="2">x</td></tr></table>';
    expect(cleanHtml(html)).toBe(html);
  });

  it('is nothing when nothing is left, or when there is too much of it', () => {
    expect(cleanHtml('<script>alert(1)</script>')).toBeNull();
    expect(cleanHtml('')).toBeNull();
    expect(cleanHtml('x'.repeat(longestHtml + 1))).toBeNull();
  });

  const bit = fc.constantFrom(
    '<script>',
    '</script>',
    '<img src=x onerror=alert(1)>',
    '<a href="javascript:x">',
    '<svg/onload=x>',
    '<!--',
    '-->',

    '<style>',
    '</style>',
    '<p style="x:url(y)">',
    '"',
    "'",
    '>',
    '<',
    '&lt;script&gt;',
    '<noscript>',
    '<math>',
    'text',
  );

  it('is safe in whatever order its parts come, and stays as it is when cleaned again', () => {
    fc.assert(
      fc.property(fc.array(bit, { maxLength: 20 }), (bits) => {
        const clean = cleanHtml(bits.join(''));
        const tags = (clean ?? '').match(/<[^>]*>/g) ?? [];
        for (const tag of tags) expect(tag).not.toMatch(dangerous);
        if (clean !== null) expect(cleanHtml(clean)).toBe(clean);
      }),
      { numRuns: 500 },
    );
  });
});

describe('the text of HTML', () => {
  it('has a line for each block and no markup', () => {
    expect(htmlText('<p>One &amp; <b>two</b></p><div>three<br>four</div><ul><li>five</li></ul>')).toBe(
      'One & two\nthree\nfour\nfive',
    );
  });

  it('leaves out what is quoted, unless it is all there is', () => {
    expect(htmlText('<p>New</p><blockquote>Old</blockquote>')).toBe('New');
    expect(htmlText('<blockquote>Old</blockquote>')).toBe('Old');
  });

  it('has no text of scripts and styles', () => {
    expect(htmlText('<style>p{}</style><script>x</script><title>t</title>Hi')).toBe('Hi');
  });
});
