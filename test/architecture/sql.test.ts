import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { readSources } from './imports.ts';
import { namesOrganization, queriesIn, sqlTexts } from './sql.ts';

const root = join(import.meta.dirname, '..', '..');

/** What looks over all organisations on purpose, as the relay's role: the audit, and the work of the relay. */
const acrossOrganizations = [
  'db/automation/audit/',
  'db/automation/ledger-retention.queries.ts',
  'db/automation/outbox.queries.ts',
  'db/automation/owed-commands.queries.ts',
  // A trigger: the user is that of the row at hand.
  'db/model/open-counter.ts',
];

describe('a query that is written by hand names the organisation of its tables, beside row-level security', () => {
  const files = [...readSources(root).keys()].filter(
    (file) => /^(db|activities|api|workers)\//.test(file) && !file.startsWith('db/migrations/'),
  );
  const queries = files.flatMap((file) =>
    sqlTexts(readFileSync(join(root, file), 'utf8')).flatMap((sql) =>
      queriesIn(sql).map((query) => ({ file, ...query })),
    ),
  );
  const silent = queries.filter((query) => !namesOrganization(query));
  const isAcross = (file: string) => acrossOrganizations.some((path) => file.startsWith(path));

  it('in every file', () => {
    expect(queries.length).toBeGreaterThan(100);
    expect(silent.filter(({ file }) => !isAcross(file)).map(({ file, text }) => `${file}: ${text}`)).toEqual([]);
  });

  it('and there are no more exceptions than it takes', () => {
    expect(acrossOrganizations.filter((path) => !silent.some(({ file }) => file.startsWith(path)))).toEqual([]);
  });

  it.each([
    ['one table', 'select a from crm_core.x where id = ?'],
    ['a joined table', 'select a from crm_core.x join crm_core.y using (id) where organization_id = ?'],
    ['a query within', 'select (select b from crm_core.y where id = x.id) from crm_core.x where organization_id = ?'],
    ['a common table expression', 'with y as (select b from crm_core.y) select b from y where organization_id = ?'],
    ['an update', 'update crm_core.x set a = 1 where id = ?'],
    ['a deletion', 'delete from crm_core.x where id = ?'],
  ])('and a planted one is found: %s', (_what, sql) => {
    const source = `const sql = \`${sql}\`;`;
    expect(sqlTexts(source).flatMap(queriesIn).every(namesOrganization)).toBe(false);
  });

  it('and templates within templates are read', () => {
    const source = 'const sql = `with ${all.map((x) => `select ${x} from crm_core.y`)} select a from crm_core.x`; // `';
    expect(sqlTexts(source)).toEqual(['select ${} from crm_core.y', 'with ${} select a from crm_core.x']);
  });
});
