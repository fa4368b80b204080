import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';

interface Entry {
  resolved?: string;
  optionalDependencies?: Record<string, string>;
}

const file = join(import.meta.dirname, '..', '..', 'package-lock.json');
const { packages } = JSON.parse(readFileSync(file, 'utf8')) as { packages: Record<string, Entry> };

/** Where Node looks for `name` from the package at `path`: its own folder, then each one above it. */
function places(path: string, name: string): string[] {
  const above = path.slice(0, Math.max(path.lastIndexOf('/node_modules/'), 0));
  return [`${path ? `${path}/` : ''}node_modules/${name}`, ...(path ? places(above, name) : [])];
}

it('names no registry, so that an installation uses its own', () => {
  expect(Object.entries(packages).filter(([, { resolved }]) => resolved)).toEqual([]);
});

it('knows the packages of every platform: `npm ci` refuses a lock file that leaves out what this machine does not need', () => {
  const missing = Object.entries(packages).flatMap(([path, { optionalDependencies = {} }]) =>
    Object.keys(optionalDependencies).filter((name) => !places(path, name).some((place) => place in packages)),
  );
  expect(missing).toEqual([]);
});
