import { Client } from 'pg';
import { z } from 'zod';
import { allow } from '../../db/access/access-rules.ts';
import { schemaDrift } from '../../db/migrator.ts';
import {
  choice,
  date,
  flag,
  identifier,
  instant,
  integer,
  json,
  list,
  longText,
  ratio,
  reference,
  text,
} from '../../db/model/columns.ts';
import { type Resource, resource } from '../../db/model/define-resource.ts';
import { entity, type EntityDefinition } from '../../db/model/entity.ts';
import { Account } from '../../db/parties/account.ts';
import { entities, resources } from '../../db/registry.ts';

/** An entity as a newcomer would add it, with a column of every kind. */
export const Specimen = entity('Specimen', 'crm_specimens', {
  key: 'specimen_id',
  columns: {
    label: text(60),
    remark: longText(500, { nullable: true, column: 'remark_text' }),
    token: identifier({ nullable: true }),
    amount: integer(-1_000_000, 1_000_000, { default: 0 }),
    share: ratio(0, 1, { nullable: true }),
    checked: flag({ default: false }),
    seenAt: instant(),
    bornOn: date({ nullable: true }),
    state: choice(['fresh', 'dried', 'lost'], { default: 'fresh' }),
    labels: list(10, { default: [] }),
    notes: json(z.record(z.string(), z.unknown()), { nullable: true }),
    accountId: reference(() => Account, { nullable: true }),
  },
  search: ['label', 'remark'],
  uniques: [['token']],
});

const names = Object.keys(Specimen.columns) as (keyof typeof Specimen.columns)[];

export const specimens = resource(Specimen, {
  path: 'specimens',
  title: 'specimen',
  creatable: names,
  patchable: names,
  filterable: names,
  sortable: ['createdAt', 'label', 'amount', 'checked', 'seenAt', 'state'],
  expandable: { account: 'accountId' },
  read: allow('configuration:read'),
  write: allow('configuration:write'),
  feature: 'specimens',
  emits: 'specimen',
});

/** Adds the entity's line to the registry and its table to a migrated database: all that a new entity takes. */
export async function addSpecimens(url: string): Promise<void> {
  (resources as Resource[]).push(specimens);
  (entities as EntityDefinition['entity'][]).push(Specimen.entity);
  const client = new Client({ connectionString: url, options: '-c search_path=crm_core,public' });
  await client.connect();
  try {
    await client.query(await schemaDrift(url));
  } finally {
    await client.end();
  }
}
