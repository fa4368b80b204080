import { type Database, scopedTo, statementInOrganization } from './database.ts';
import { jsonRows, type ReadRows, selectStatement } from './model/rows.ts';

/** Reads rows of one organisation: each question is one message to PostgreSQL and a transaction of its own. */
export function createRowReader(database: Database, organizationId: string): ReadRows {
  return async (resource, query) => {
    const { sql, params } = await selectStatement(scopedTo(database, organizationId), resource, query);
    return jsonRows(resource.definition, await statementInOrganization(database, organizationId, sql, params));
  };
}
