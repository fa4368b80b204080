import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { findCycle, localImports, reachedPackages, readImports, readSources, rooms } from './imports.ts';
import { complaintAbout } from './layers.ts';

const root = dirname(dirname(import.meta.dirname));
const sources = readSources(root);
const roomOf = (file: string) => file.split('/')[0] ?? file;

describe('the table of imports', () => {
  it('holds for every file', () => {
    const broken = [...sources].flatMap(([file, imports]) =>
      imports.map((each) => complaintAbout(file, each)).filter(Boolean),
    );
    expect(broken).toEqual([]);
  });

  it.each([
    ['workflows/leads/lead-intake.ts', `import { createDatabase } from '../../db/database.ts';`],
    ['workflows/leads/lead-intake.ts', `import { createActivities } from '../../activities/index.ts';`],
    ['workflows/leads/policy.ts', `import { readFileSync } from 'node:fs';`],
    ['db/leads/lead.ts', `import { Client } from '@temporalio/client';`],
    ['db/leads/lead.ts', `import { app } from '../../api/app.ts';`],
    ['db/leads/lead.ts', `import { loadEnv } from '../../runtime/env.ts';`],
    ['activities/leads.ts', `import { Hono } from 'hono';`],
    ['activities/leads.ts', `import { loadEnv } from '../runtime/env.ts';`],
    ['api/rest/commands/leads.ts', `import { intake } from '../../../activities/leads.ts';`],
    ['api/rest/records.ts', `import { Lead } from '../../db/leads/lead.ts';`],
    ['api/rest/records.ts', `import { MikroORM } from '@mikro-orm/postgresql';`],
    ['api/rest/records.ts', `const late = import('../../workers/main.ts');`],
    ['api/main.ts', `import '../workers/main.ts';`],
    ['runtime/start.ts', `import { program } from '../cli/main.ts';`],
    ['runtime/start.ts', `import { createApp } from '../api/app.ts';`],
    ['runtime/start.ts', `import { startWorker } from '../workers/worker.ts';`],
    ['cli/up.ts', `import { startWorker } from '../workers/worker.ts';`],
    ['workers/worker.ts', `import { tell } from '../cli/output.ts';`],
  ])('refuses in %s: %s', (file, source) => {
    expect(readImports(source).map((each) => complaintAbout(file, each))).toEqual([
      expect.stringContaining('may not import'),
    ]);
  });

  it.each([
    ['workflows/leads/lead-intake.ts', `import type { Activities } from '../../activities/index.ts';`],
    ['workflows/leads/lead-intake.ts', `import { condition } from '@temporalio/workflow';`],
    ['db/leads/lead.ts', `import { stages } from '../../workflows/leads/policy.ts';`],
    ['api/rest/records.ts', `import { registry } from '../../db/registry.ts';`],
    ['api/rest/commands/leads.ts', `import { captureLead } from '../../../db/leads/capture.queries.ts';`],
    [
      'api/rest/commands/leads.ts',
      `import {\n  touchUpdate,\n  type Touch,\n} from '../../../workflows/leads/messages.ts';`,
    ],
  ])('allows in %s: %s', (file, source) => {
    expect(readImports(source).map((each) => complaintAbout(file, each))).toEqual([undefined]);
  });
});

describe('the arrows go one way', () => {
  const files = new Map([...sources].map(([file, imports]) => [file, localImports(file, imports)]));

  it('between files', () => {
    expect(findCycle(files)).toBeUndefined();
  });

  it('between rooms', () => {
    const graph = new Map(rooms.map((room) => [room, new Set<string>()]));
    for (const [file, targets] of files) {
      for (const target of targets) if (roomOf(target) !== roomOf(file)) graph.get(roomOf(file))?.add(roomOf(target));
    }
    expect(findCycle(graph)).toBeUndefined();
  });

  it('and a planted cycle is found', () => {
    const planted = new Map([
      ['a', ['b']],
      ['b', ['c']],
      ['c', ['b']],
    ]);
    expect(findCycle(planted)).toEqual(['b', 'c', 'b']);
  });
});

describe('the workflow bundle', () => {
  const allowed = new Set(['@temporalio/workflow', '@temporalio/common', 'zod']);

  it.each(['workflows/index.ts', 'workflows/preload.ts'])('reaches nothing heavy or impure from %s', (entry) => {
    const reached = reachedPackages(sources, entry);
    expect([...reached].filter(([name]) => !allowed.has(name))).toEqual([]);
  });

  it('and a planted detour is found', () => {
    const planted = new Map([
      ['workflows/index.ts', readImports(`export { leadIntake } from './leads/lead-intake.ts';`)],
      ['workflows/leads/lead-intake.ts', readImports(`import { due } from './policy.ts';`)],
      ['workflows/leads/policy.ts', readImports(`import { Temporal } from 'temporal-polyfill';`)],
    ]);
    expect(reachedPackages(planted, 'workflows/index.ts').get('temporal-polyfill')).toEqual([...planted.keys()]);
  });
});

it('rows and activities import only pure files of workflows', () => {
  const impure = [...sources]
    .filter(([file]) => /^(db|activities)\//.test(file))
    .flatMap(([file, imports]) => localImports(file, imports).map((target) => [file, target] as const))
    .filter(([, target]) => target.startsWith('workflows/'))
    .filter(([, target]) => reachedPackages(sources, target).has('@temporalio/workflow'));
  expect(impure).toEqual([]);
});

describe.each(rooms.filter((room) => existsSync(join(root, room))))('the room %s', (room) => {
  it('opens with a README.md of at most thirty lines', () => {
    const readme = readFileSync(join(root, room, 'README.md'), 'utf8');
    expect(readme.trimEnd().split('\n').length).toBeLessThanOrEqual(30);
  });
});

describe('workflows', () => {
  // All workflows of a worker share their modules (workflows/preload.ts): one that kept state would leak it.
  it('keep no state in their modules', () => {
    const stateful = [...sources.keys()]
      .filter((file) => file.startsWith('workflows/'))
      .filter((file) => /^(export )?(let|var) /m.test(readFileSync(join(root, file), 'utf8')));
    expect(stateful).toEqual([]);
  });
});
