import { posix } from 'node:path';

/** One import as it stands in a file: `typeOnly` for `import type` and `export type … from`. */
export interface Import {
  specifier: string;
  typeOnly: boolean;
}

interface Layer {
  /** Local files this room may import besides its own. */
  local: RegExp;
  /** Local files of which it may import types. */
  types?: RegExp;
  /** Packages it must not import. */
  barred?: RegExp;
  /** What to do instead: the end of the linter's message. */
  lesson: string;
}

const everything = /./;
const temporal = /^@temporalio\//;
const http = /^(hono|@hono\/.*)$/;
const orm = /^(mikro-orm|@mikro-orm\/.*|kysely|pg)$/;

/** The table of imports: who may import what. A file takes the first entry whose key it starts with. */
const layers: [room: string, layer: Layer][] = [
  [
    'workflows/',
    {
      local: /^workflows\//,
      types: /^activities\//,
      barred:
        /^(?!(@temporalio\/(workflow|common)|zod|temporal-polyfill|libphonenumber-js(\/.*)?|@marcbachmann\/cel-js)$)/,
      lesson: 'A workflow waits and decides; effects belong in an activity, of which it imports the types only.',
    },
  ],
  [
    'db/',
    {
      local: /^(db|workflows)\//,
      barred: new RegExp(`${temporal.source}|${http.source}`),
      lesson: 'Rows know nothing of HTTP, Temporal or the environment; take what is needed as an argument.',
    },
  ],
  [
    'activities/',
    {
      local: /^(activities|db|workflows)\//,
      barred: http,
      lesson: 'Activities work on rows and ports (activities/ports.ts); whatever else they need is in their deps.',
    },
  ],
  [
    'api/main.ts',
    {
      local: /^(api|db|workflows|runtime)\//,
      lesson: 'The API composes database, Temporal client and routes; activities run in a worker.',
    },
  ],
  [
    'api/',
    {
      local: /^(api\/|db\/(registry|records|access\/actor)\.ts$|db\/(model\/|.*\.queries\.ts$)|workflows\/)/,
      types: /^db\//,
      barred: orm,
      lesson: 'The API reads through db/registry, db/records and *.queries.ts, and changes processes by messages.',
    },
  ],
  [
    'workers/',
    {
      local: /^(workers|activities|api|db|workflows|runtime)\//,
      lesson: 'The worker composes the inner rooms; cli/ is the outermost one and calls the others.',
    },
  ],
  [
    'runtime/',
    {
      local: /^(runtime|db|workflows)\//,
      lesson: 'API, worker and commands are programs that runtime/ starts by their path; they import it.',
    },
  ],
  [
    'cli/',
    {
      local: /^(cli|runtime|api|activities|db|workflows)\//,
      lesson: 'A worker is a process of its own, started by runtime/; a command asks the running one.',
    },
  ],
  ['bench/', { local: everything, lesson: '' }],
  ['test/', { local: everything, lesson: '' }],
];

/**
 * What is wrong with one import of `file` (path from the repository's root, with `/`).
 * Returns the message that teaches the rule, or undefined when the import is allowed.
 */
export function complaintAbout(file: string, { specifier, typeOnly }: Import): string | undefined {
  const layer = layers.find(([room]) => file.startsWith(room))?.[1];
  if (!layer) return undefined;
  if (!specifier.startsWith('.')) {
    return layer.barred?.test(specifier) ? `${file} may not import ${specifier}. ${layer.lesson}` : undefined;
  }
  const target = posix.join(posix.dirname(file), specifier);
  if (layer.local.test(target) || (typeOnly && layer.types?.test(target))) return undefined;
  return `${file} may not import ${target}. ${layer.lesson}`;
}
