import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { PublicRoute } from './route.ts';

// Everything comes from this host: the policy makes sure of it.
const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data: blob:",
  "font-src 'self' data:",
  "connect-src 'self'",
  "worker-src 'self' blob:",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const configuration = JSON.stringify({
  withDefaultFonts: false,
  telemetry: false,
  showDeveloperTools: 'never',
  hideClientButton: true,
  agent: { disabled: true },
  mcp: { disabled: true },
  authentication: { preferredSecurityScheme: 'bearer' },
  persistAuth: true,
}).replaceAll('"', '&quot;');

const page = `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><link rel="icon" href="data:,"><title>Durable CRM · API reference</title></head>
<body>
<script id="api-reference" data-url="/openapi.json" data-configuration="${configuration}"></script>
<script src="/docs/reference.js"></script>
</body>
</html>
`;

const script = fileURLToPath(import.meta.resolve('@scalar/api-reference/browser/standalone.js'));

/** `/docs`: Scalar, served from this host. */
export const referenceRoutes: readonly PublicRoute[] = [
  {
    access: 'public',
    tag: 'documents',
    method: 'get',
    path: '/docs',
    operationId: 'showReference',
    summary: 'The API reference, for a browser',
    answers: {
      200: { description: 'A page', contentType: 'text/html', content: { name: 'Page', schema: { type: 'string' } } },
    },
    handle: (c) => {
      c.header('Content-Security-Policy', policy);
      return c.html(page);
    },
  },
  {
    access: 'public',
    tag: 'documents',
    method: 'get',
    path: '/docs/reference.js',
    operationId: 'getReferenceScript',
    summary: 'The script of the API reference',
    answers: {
      200: {
        description: 'A script',
        contentType: 'text/javascript',
        content: { name: 'Script', schema: { type: 'string' } },
      },
    },
    handle: async (c) => {
      c.header('Content-Type', 'text/javascript; charset=utf-8');
      c.header('Cache-Control', 'public, max-age=3600');
      return c.body(new Uint8Array(await readFile(script)));
    },
  },
];
