import { readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import type { Import } from './layers.ts';

/** The top-level folders of the product, in which every source file lives. */
export const rooms = ['workflows', 'activities', 'workers', 'api', 'db', 'runtime', 'cli', 'bench', 'test'];

/** Path of a source file (from the root, with `/`) → its imports. */
export type Sources = Map<string, Import[]>;

const statement = /^(?:import|export)\s+(type\s)?(?:[^'";]*?\sfrom\s+)?'([^']+)'/gm;
const dynamic = /\bimport\('([^']+)'\)/g;

/** The imports of one formatted TypeScript source, static and dynamic. */
export function readImports(source: string): Import[] {
  const statics = [...source.matchAll(statement)].map(([, type, specifier]) => ({
    specifier: specifier ?? '',
    typeOnly: type !== undefined,
  }));
  const dynamics = [...source.matchAll(dynamic)].map(([, specifier]) => ({
    specifier: specifier ?? '',
    typeOnly: false,
  }));
  return [...statics, ...dynamics];
}

/** All TypeScript sources below `root`, by path. */
export function readSources(root: string): Sources {
  const sources: Sources = new Map();
  for (const room of rooms) {
    for (const file of filesOf(root, room)) sources.set(file, readImports(readFileSync(join(root, file), 'utf8')));
  }
  return sources;
}

/** The local files a file imports (values only: types leave no trace at run time). */
export function localImports(file: string, imports: Import[]): string[] {
  return imports
    .filter(({ specifier, typeOnly }) => specifier.startsWith('.') && !typeOnly)
    .map(({ specifier }) => posix.join(posix.dirname(file), specifier));
}

/** The packages a file reaches through value imports, each with the chain of files that leads to it. */
export function reachedPackages(sources: Sources, entry: string): Map<string, string[]> {
  const reached = new Map<string, string[]>();
  const seen = new Set<string>();
  const walk = (file: string, chain: string[]) => {
    if (seen.has(file)) return;
    seen.add(file);
    const imports = sources.get(file) ?? [];
    for (const { specifier, typeOnly } of imports) {
      if (!specifier.startsWith('.') && !typeOnly) reached.set(specifier, [...chain, file]);
    }
    for (const next of localImports(file, imports)) walk(next, [...chain, file]);
  };
  walk(entry, []);
  return reached;
}

/** The first cycle of a graph as the list of its nodes (first = last), or undefined. */
export function findCycle(graph: Map<string, Iterable<string>>): string[] | undefined {
  const done = new Set<string>();
  const walk = (node: string, path: string[]): string[] | undefined => {
    if (path.includes(node)) return [...path.slice(path.indexOf(node)), node];
    if (done.has(node)) return undefined;
    for (const next of graph.get(node) ?? []) {
      const cycle = walk(next, [...path, node]);
      if (cycle) return cycle;
    }
    done.add(node);
    return undefined;
  };
  for (const node of graph.keys()) {
    const cycle = walk(node, []);
    if (cycle) return cycle;
  }
  return undefined;
}

function filesOf(root: string, folder: string): string[] {
  return entriesOf(join(root, folder)).flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory()) return filesOf(root, path);
    return path.endsWith('.ts') ? [path] : [];
  });
}

function entriesOf(folder: string) {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch {
    return [];
  }
}
