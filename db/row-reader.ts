import { type FilterQuery, raw } from '@mikro-orm/postgresql';
import { type Database, scopedTo, statementInOrganization } from './database.ts';
import type { Resource } from './model/define-resource.ts';
import { columnName, type RecordRow } from './model/entity.ts';
import { jsonRows, type ReadRows, selectStatement } from './model/rows.ts';

/** Reads rows of one organisation: each question is one message to PostgreSQL and a transaction of its own. */
export interface RowReader {
  rows: ReadRows;
  /** The rows that hold a text (`q=`), as a condition: few are named, of many each is looked at. */
  matching(resource: Resource, text: string): Promise<FilterQuery<RecordRow>>;
}

/** Makes the row reader of an organisation. */
export function createRowReader(database: Database, organizationId: string): RowReader {
  return {
    async rows(resource, query) {
      const { sql, params } = await selectStatement(scopedTo(database, organizationId), resource, query);
      return jsonRows(resource.definition, await statementInOrganization(database, organizationId, sql, params));
    },
    async matching({ definition }, text) {
      const [answer] = await statementInOrganization<{ ids: string | null }>(
        database,
        organizationId,
        'select crm_core.matching_rows(?, ?)::text as ids',
        [definition.table, text],
      );
      const ids = answer?.ids ?? null;
      const condition =
        ids === null
          ? raw((alias) => `crm_core.matches(${alias}.search_text, ?)`, [text])
          : raw((alias) => `${alias}.${columnName(definition, 'id')} = any(?::uuid[])`, [ids]);
      return { [condition]: [] } as FilterQuery<RecordRow>;
    },
  };
}
