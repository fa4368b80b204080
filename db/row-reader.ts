import type { FilterQuery } from '@mikro-orm/postgresql';
import { type Database, scopedTo, statementInOrganization } from './database.ts';
import type { Resource } from './model/define-resource.ts';
import type { RecordRow } from './model/entity.ts';
import { jsonRows, type ReadRows, selectStatement } from './model/rows.ts';
import { isCommonSql, matchCondition } from './model/search.ts';

/** Reads rows of one organisation: each question is one message to PostgreSQL and a transaction of its own. */
export interface RowReader {
  rows: ReadRows;
  /** The rows that hold a text (`q=`), as a condition. */
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
      const sql = isCommonSql(definition);
      const [answer] = await statementInOrganization<{ common: boolean }>(database, organizationId, sql, [text]);
      return matchCondition(definition, text, answer?.common === true);
    },
  };
}
