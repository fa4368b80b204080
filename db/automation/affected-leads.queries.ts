import { type Database, inOrganization } from '../database.ts';

/** Leads that depend on the record `changed.id` of a kind: each kind emits events `{kind}.{what happened}`. */
const dependsOn = {
  organization: `l.organization_id = changed.id and l.assigned_user_id in (
    select user_id from crm_core.crm_users where organization_id = changed.id and calendar_id is null)`,
  calendar: `l.assigned_user_id in (
    select u.user_id from crm_core.crm_users u join crm_core.core_organizations o on o.organization_id = u.organization_id
    where coalesce(u.calendar_id, o.calendar_id) = changed.id)`,
  user: 'l.assigned_user_id = changed.id',
  team: 'l.team_id = changed.id',
  assignment_rule: 'l.assignment_rule_id = changed.id',
} as const;

/** Kinds of records that leads in intake depend on. */
export type ConfigurationKind = keyof typeof dependsOn;
export const configurationKinds = Object.keys(dependsOn) as readonly ConfigurationKind[];

/**
 * Open leads whose plan depends on a record of the configuration: through their assignee, their team or their rule.
 * A lead that nobody could be given depends on all of it. In the order of identifiers, at most `limit` after `after`.
 */
export async function readAffectedLeads(
  database: Database,
  { organizationId, kind, id }: { organizationId: string; kind: ConfigurationKind; id: string },
  after: string | null,
  limit: number,
): Promise<string[]> {
  return inOrganization(database, organizationId, async (em) => {
    const rows: { lead_id: string }[] = await em.execute(
      `select l.lead_id from crm_core.crm_leads l cross join (select ?::uuid as id) changed
       where l.organization_id = ? and l.status = 'open' and l.deleted_at is null
         and (l.assigned_user_id is null or ${dependsOn[kind]}) and (?::uuid is null or l.lead_id > ?)
       order by l.lead_id limit ?`,
      [id, organizationId, after, after, limit],
    );
    return rows.map(({ lead_id }) => lead_id);
  });
}
