import { type Database, inOrganization } from '../database.ts';
import { affectedLeads } from '../leads/affected-leads.ts';
import { schema } from '../model/entity.ts';
import { affectedTickets } from '../tickets/affected-tickets.ts';
import type { Dependents } from './dependents.ts';

/** Kinds of records that running processes depend on; each emits events `{kind}.{what happened}`. */
export type ConfigurationKind = keyof typeof affectedLeads.dependsOn | keyof typeof affectedTickets.dependsOn;

const everyDependents: readonly Dependents[] = [affectedLeads, affectedTickets];
export const configurationKinds = [
  ...new Set(everyDependents.flatMap(({ dependsOn }) => Object.keys(dependsOn))),
] as readonly ConfigurationKind[];

interface Change {
  organizationId: string;
  kind: ConfigurationKind;
  id: string;
}

/**
 * A page of the running processes that depend on what changed, at most `limit`: process by process, in the order of
 * identifiers. `cursor` leads to the next page, null to the first, and is null after the last.
 */
export async function readAffectedProcesses(
  database: Database,
  change: Change,
  cursor: string | null,
  limit: number,
): Promise<{ workflowIds: string[]; cursor: string | null }> {
  const [lastProcess, lastId] = cursor?.split(':') ?? [];
  const begun = everyDependents.findIndex(({ process }) => process.name === lastProcess);
  const workflowIds: string[] = [];
  for (const dependents of everyDependents.slice(Math.max(begun, 0))) {
    const { process } = dependents;
    const after = process.name === lastProcess ? (lastId ?? null) : null;
    const ids = await readAffected(database, change, dependents, after, limit - workflowIds.length);
    workflowIds.push(...ids.map(process.workflowId));
    const last = ids.at(-1);
    if (workflowIds.length === limit && last) return { workflowIds, cursor: `${process.name}:${last}` };
  }
  return { workflowIds, cursor: null };
}

async function readAffected(
  database: Database,
  { organizationId, kind, id }: Change,
  { definition: { table, key }, isRunning, dependsOn }: Dependents,
  after: string | null,
  limit: number,
): Promise<string[]> {
  const condition = dependsOn[kind];
  if (condition === undefined) return [];
  return inOrganization(database, organizationId, async (em) => {
    const rows: { id: string }[] = await em.execute(
      `select ${key} as id from ${schema}.${table} cross join (select ?::uuid as id) changed
       where organization_id = ? and ${isRunning} and deleted_at is null
         and (${condition}) and (?::uuid is null or ${key} > ?)
       order by ${key} limit ?`,
      [id, organizationId, after, after, limit],
    );
    return rows.map((row) => row.id);
  });
}
