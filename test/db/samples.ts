import type { z } from 'zod';
import { v7 as uuidv7 } from 'uuid';
import { roles } from '../../workflows/access/permissions.ts';
import { inOrganization } from '../../db/database.ts';
import { baseColumns } from '../../db/model/changes.ts';
import type { Column } from '../../db/model/columns.ts';
import type { Resource } from '../../db/model/define-resource.ts';
import type { EntityDefinition } from '../../db/model/entity.ts';
import type { RecordJson } from '../../db/model/record-json.ts';
import { insertRows } from '../../db/model/set-based.ts';
import { resourceOf } from '../../db/registry.ts';
import { adminOf, make, makeAccount, suffix, type TestOrganization } from '../support/factories.ts';

let count = 0;
const next = (): number => (count += 1);
const letters = (): string => suffix().replace(/\d/g, (digit) => 'ghijklmnop'[Number(digit)] ?? 'g');
const day = [{ from: '09:00', to: '17:00' }];

/** Values that a column's kind alone does not tell, by property or `path.property`. */
const special: Readonly<Record<string, () => unknown>> = {
  email: () => `sample-${suffix()}@example.com`,
  primaryEmail: () => `sample-${suffix()}@example.com`,
  phone: () => `+49301${String(next()).padStart(6, '0')}`,
  primaryPhone: () => `+49301${String(next()).padStart(6, '0')}`,
  country: () => 'DE',
  domain: () => `${suffix()}.example`,
  defaultRegion: () => (next() % 2 === 0 ? 'AT' : 'CH'),
  timeZone: () => 'Europe/Berlin',
  colour: () => '#1f77b4',
  linkedinUrl: () => `https://www.linkedin.com/in/${suffix()}`,
  url: () => `https://example.com/${suffix()}`,
  when: () => `score > ${next() % 100}`,
  consent: () => null,
  utm: () => null,
  ladder: () => null,
  'calendars.hours': () => ({ monday: day, friday: day }),
  'scoring-models.fitWeight': () => 0.5,
  'scoring-models.engagementWeight': () => 0.5,
  'scoring-models.fit': () => [{ label: 'Phone', when: 'hasPhone', points: 10 }],
  'scoring-models.engagement': () => [{ activityType: 'call', points: 10, halfLifeDays: 7 }],
  'scoring-models.bands': () => ({ warm: 10, hot: 20 }),
  'feature-flags.name': () => `crm_feature_${letters()}`,
  'roles.name': () => roles[next() % roles.length],
  'sla-policies.when': () => `priority == "P${(next() % 4) + 1}"`,
  'sla-policies.targets': () => ({ P1: { first_response: 30, resolution: 240 } }),
  'sla-policies.pauseStatuses': () => [],
  'sla-policies.pausedTargets': () => ['resolution'],
  'ticket-routing-rules.when': () => `category == "${letters()}"`,
  'articles.slug': () => `sample-${suffix()}`,
  'articles.language': () => (next() % 2 === 0 ? 'de' : 'en-GB'),
  'tickets.number': next,
  'tickets.slaTerms': () => null,
  'sla-policies.appliedTerms': () => null,
  subjectType: () => 'account',
};

/** A valid JSON value of a column, different each time where its kind allows. */
async function sampleValue(
  org: TestOrganization,
  resource: Resource,
  property: string,
  column: Column,
): Promise<unknown> {
  const named = special[`${resource.path}.${property}`] ?? special[property];
  if (named) return named();
  if (property === 'subjectId') return (await makeAccount(org)).id;
  if (column.target) return sampleReference(org, column.target());
  switch (column.kind) {
    case 'text':
      return `Sample ${suffix()}`;
    case 'uuid':
      return uuidv7();
    case 'integer':
      return (next() % 90) + 1;
    case 'number':
      return 0.5;
    case 'boolean':
      return next() % 2 === 0;
    case 'instant':
      return new Date(Date.UTC(2026, 0, 1, 0, next())).toISOString();
    case 'date':
      return '2026-11-21';
    case 'choice': {
      const { options } = column.schema as z.ZodEnum;
      return options[next() % options.length];
    }
    case 'list':
      return [`sample ${suffix()}`];
    default:
      return [{}, []].find((value) => column.schema.safeParse(value).success) ?? null;
  }
}

/** The identifier of a new record of this table. */
async function sampleReference(org: TestOrganization, definition: EntityDefinition): Promise<string> {
  const target = resourceOf(definition);
  if (!target) throw new Error(`${definition.table} is no resource`);
  return (await sampleRecord(org, target, { minimal: true })).id;
}

/** Valid values for these properties; required references name new records. */
export async function sampleBody(
  org: TestOrganization,
  resource: Resource,
  properties: readonly string[],
  { minimal = false } = {},
): Promise<Record<string, unknown>> {
  const body: Record<string, unknown> = {};
  for (const property of properties) {
    const column = resource.definition.columns[property];
    if (!column) throw new Error(`${resource.path} has no column ${property}`);
    if (minimal && (column.nullable || column.defaultValue !== undefined)) continue;
    const value = await sampleValue(org, resource, property, column);
    if (value === null && !column.nullable) throw new Error(`Name a sample for ${resource.path}.${property}`);
    body[property] = value;
  }
  return body;
}

/** A stored record: created through the product where a client may, else inserted as its process would. */
export async function sampleRecord(
  org: TestOrganization,
  resource: Resource,
  options: { minimal?: boolean } = {},
): Promise<RecordJson & { id: string }> {
  if (resource.path === 'organizations')
    return (await org.records.get(adminOf(org), resource, org.id)) as RecordJson & { id: string };
  const { id } =
    resource.creatable.length > 0
      ? await make(org, resource, await sampleBody(org, resource, resource.creatable, options))
      : await insertSample(org, resource, options);
  return (await org.records.get(adminOf(org), resource, id)) as RecordJson & { id: string };
}

async function insertSample(
  org: TestOrganization,
  resource: Resource,
  options: { minimal?: boolean },
): Promise<{ id: string }> {
  const own = await sampleBody(org, resource, Object.keys(resource.definition.columns), options);
  const defaults = Object.fromEntries(
    Object.entries(resource.definition.columns).flatMap(([property, { defaultValue }]) =>
      defaultValue === undefined ? [] : [[property, defaultValue]],
    ),
  );
  const row = {
    id: uuidv7(),
    ...baseColumns({ organizationId: org.id, actor: adminOf(org), at: new Date() }),
    ...defaults,
    ...own,
  };
  await inOrganization(org.database, org.id, (em) => insertRows(em, [{ into: resource.definition, rows: [row] }]));
  return row;
}
