import type { Actor } from './access/actor.ts';
import { type Database, scopedTo, statementInOrganization } from './database.ts';
import { isRedacted, openAmongReadable, redactedRow } from './model/redaction.ts';
import { jsonRows, type ReadRows, selectStatement } from './model/rows.ts';

/**
 * Reads rows as this caller may see them: what is redacted is absent from them. Each question is one message to
 * PostgreSQL and a transaction of its own.
 */
export function createRowReader(database: Database, actor: Actor): ReadRows {
  const { organizationId } = actor;
  return async (resource, { properties, ...query }) => {
    const open = openAmongReadable(resource, actor);
    const readable =
      open === false ? [...properties].filter((property) => !isRedacted(resource, property)) : properties;
    const { sql, params } = await selectStatement(
      scopedTo(database, organizationId),
      resource,
      { ...query, properties: readable },
      typeof open === 'boolean' ? null : open,
    );
    const rows = jsonRows(resource.definition, await statementInOrganization(database, organizationId, sql, params));
    return typeof open === 'boolean' ? rows : rows.map((row) => redactedRow(resource, row));
  };
}
