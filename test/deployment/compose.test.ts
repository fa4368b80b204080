import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { parse } from 'yaml';
import { environmentSchema } from '../../runtime/env.ts';
import { searchAttributes } from '../../workflows/processes/search-attributes.ts';

const root = join(import.meta.dirname, '..', '..');
const read = (file: string) => readFileSync(join(root, file), 'utf8');

interface Service {
  image?: string;
  build?: string;
  command?: string[];
  depends_on?: Record<string, { condition: string }>;
  environment?: Record<string, string>;
  healthcheck?: { test?: string[]; disable?: boolean };
  volumes?: string[];
}

const text = read('temporal-docker-compose.yml');
const compose = parse(text, { merge: true }) as { services: Record<string, Service>; volumes: Record<string, unknown> };
const services = Object.entries(compose.services);
const dockerfile = read('Dockerfile');

describe('temporal-docker-compose.yml', () => {
  it('is what the Compose specification allows', () => {
    const validate = new Ajv2020({ strict: false, validateFormats: false }).compile(
      JSON.parse(read('test/data/compose-spec.json')) as object,
    );
    expect({ valid: validate(compose), errors: validate.errors }).toEqual({ valid: true, errors: null });
  });

  it('waits only for services that exist, and for health only where it is checked', () => {
    for (const [name, service] of services) {
      for (const [other, { condition }] of Object.entries(service.depends_on ?? {})) {
        expect([name, other, Object.keys(compose.services)]).toEqual([name, other, expect.arrayContaining([other])]);
        if (condition === 'service_healthy') expect(compose.services[other]?.healthcheck?.test).toBeDefined();
      }
    }
  });

  it('mounts only volumes that exist', () => {
    const mounted = services.flatMap(([, { volumes = [] }]) => volumes.map((volume) => volume.split(':')[0]));
    expect(new Set(mounted)).toEqual(new Set(Object.keys(compose.volumes)));
  });

  it('pins every image that is not built here, and none is the deprecated auto-setup', () => {
    for (const [, { image, build }] of services) {
      expect(image).not.toMatch(/auto-setup|:latest$/);
      if (!build) expect(image).toMatch(/:\d/);
    }
  });

  it('sets only variables that the product reads', () => {
    const known = Object.keys(environmentSchema.shape);
    const own = services
      .filter(([, { build }]) => build)
      .flatMap(([, { environment = {} }]) => Object.keys(environment));
    const interpolated = [...text.matchAll(/(?<!\$)\$\{([A-Z_0-9]+)/g)].map(([, name = '']) => name);
    expect([...own, ...interpolated].filter((name) => !known.includes(name))).toEqual([]);
  });

  describe('gives API and worker each variable that they read', () => {
    const documented = [...read('.env.example').matchAll(/^# ?([A-Z][A-Z_0-9]+)=/gm)].map(([, name = '']) => name);
    /** What the containers deliberately have no say in, and why. */
    const leftOut = new Set([
      // The volume is mounted where it is by default.
      'DATA_DIR',
      // Nothing is embedded.
      'EMBEDDED_PORTS_FROM',
      // One worker is released by starting another in its place.
      'TEMPORAL_DEPLOYMENT_NAME',
      'TEMPORAL_WORKER_BUILD_ID',
      // The Temporal beside them knows neither keys nor certificates.
      ...documented.filter((name) => /^TEMPORAL_(API_KEY|TLS)/.test(name)),
    ]);
    /** Read by way of runtime/env.ts in both programs. */
    const common = ['DATABASE_URL', 'TEMPORAL_ADDRESS', 'TEMPORAL_NAMESPACE'];
    const programs = { api: read('api/main.ts'), worker: read('workers/main.ts') };
    const isRead = (source: string, name: string) => common.includes(name) || new RegExp(`\\b${name}\\b`).test(source);

    it.each(documented.filter((name) => !leftOut.has(name)))('%s', (name) => {
      const readers = Object.entries(programs).flatMap(([service, source]) => (isRead(source, name) ? [service] : []));
      const image = new RegExp(`^ENV .*\\b${name}=`, 'm').test(dockerfile);
      const given = ['api', 'worker'].filter(
        (service) => image || name in (compose.services[service]?.environment ?? {}),
      );
      expect(readers.length).toBeGreaterThan(0);
      expect(given).toEqual(expect.arrayContaining(readers));
    });

    it('and leaves out only what there is', () => {
      expect(documented).toEqual(expect.arrayContaining([...leftOut]));
    });
  });

  it('makes the search attributes of the processes', () => {
    const script = compose.services['temporal-namespace']?.command?.join() ?? '';
    const made = [...script.matchAll(/--name (\w+) --type (\w+)/g)].map(
      ([, name, type]) => `${name} ${type?.toUpperCase()}`,
    );
    expect(made).toEqual(Object.values(searchAttributes).map(({ name, type }) => `${name} ${type}`));
  });
});

describe('Dockerfile', () => {
  it('rests on glibc, runs as an ordinary user and says when it is well', () => {
    expect(dockerfile).toMatch(/^FROM node:24-bookworm-slim$/m);
    expect(dockerfile).toMatch(/^USER node$/m);
    expect(dockerfile).toMatch(/^HEALTHCHECK /m);
  });

  it('copies every room that the commands of the services need, and the build context has it', () => {
    const ignored = read('.dockerignore');
    for (const room of ['workflows', 'activities', 'workers', 'api', 'db', 'runtime', 'cli']) {
      expect(dockerfile).toContain(`COPY ${room} ${room}\n`);
      expect(ignored).toContain(`!${room}\n`);
    }
  });
});
