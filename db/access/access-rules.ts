import { type FilterQuery, raw } from '@mikro-orm/postgresql';
import { type Permission, scopeOf } from '../../workflows/access/permissions.ts';
import type { Access, AccessRule } from '../model/define-resource.ts';
import type { RecordRow } from '../model/entity.ts';
import type { Actor } from './actor.ts';

type RowFilter = FilterQuery<RecordRow>;

/** Row filters for the scopes that a permission may grant below `all`. */
interface Scopes {
  own?: (userId: string) => RowFilter;
  team?: (userId: string) => RowFilter;
}

/**
 * The access rule of a permission: `true` for scope `all`, a row filter for `own` and `team`, `false` without a grant.
 * A process acts within its own organisation without further limits.
 */
export function allow(permission: Permission, scopes: Scopes = {}): AccessRule {
  return (actor) => accessOf(actor, permission, scopes);
}

function accessOf(actor: Actor, permission: Permission, scopes: Scopes): Access {
  const scope = scopeOf(actor, permission);
  if (scope === null) return false;
  if (scope === 'all' || actor.kind !== 'user') return true;
  const filter = scopes[scope];
  if (!filter) throw new Error(`${permission} is granted for scope ${scope}, but the resource names no such rows`);
  return filter(actor.userId);
}

/** Rows whose column is in a subquery that names the user at each `?`. */
const rows = (subquery: string, userId: string) => ({
  $in: raw(
    subquery,
    Array.from(subquery.matchAll(/\?/g), () => userId),
  ),
});

const managed = 'select team_id from crm_core.crm_teams where manager_user_id = ? and deleted_at is null';
const members = `select user_id from crm_core.crm_team_members where deleted_at is null and team_id in (${managed})`;
const leadsOf = (column: string, whose: string) =>
  `(select ${column} from crm_core.crm_leads where ${whose} and deleted_at is null)`;
const mine = 'assigned_user_id = ?';
const ofMyTeams = `(assigned_user_id = ? or team_id is null or team_id in (${managed}))`;
const accountsOf = (whose: string) =>
  `(select account_id from crm_core.crm_accounts where ${whose} and deleted_at is null)`;

/** Users in the teams that this user manages. */
export const ofTeamMember = (userId: string) => rows(`(${members})`, userId);

/** Leads assigned to this user (spec/4: `lead.assigned_to_id = current_user.id`). */
export const ownLead = (userId: string): RowFilter => ({ assignedUserId: userId });

/** Leads of the teams that this user manages, and those that no team has yet. */
export const teamLead = (userId: string): RowFilter => ({
  $or: [{ teamId: rows(`(${managed})`, userId) }, { teamId: null }, { assignedUserId: userId }],
});

/** People behind the leads assigned to this user. */
export const personOfOwnLead = (userId: string): RowFilter => ({
  $or: [{ id: rows(leadsOf('person_id', mine), userId) }, { createdBy: `user:${userId}` }],
});

/** People that this user may read: behind their own leads, and behind the contacts, which are one book for all. */
export const personOfOwnLeadOrContact = (userId: string): RowFilter => ({
  $or: [
    personOfOwnLead(userId),
    { id: { $in: raw('(select person_id from crm_core.crm_contacts where deleted_at is null)') } },
  ],
});

/** People behind the leads of the teams that this user manages, and behind those of nobody's team. */
export const personOfTeamLead = (userId: string): RowFilter => ({
  $or: [{ id: rows(leadsOf('person_id', ofMyTeams), userId) }, { createdBy: `user:${userId}` }],
});

/** What hangs on accounts that this user owns. Not what they made themselves: that would let anything be made. */
export const onOwnAccount = (userId: string): RowFilter => ({
  accountId: rows(accountsOf('owner_user_id = ?'), userId),
});

/** The same, and what hangs on accounts owned within the teams that this user manages, or owned by nobody. */
export const onTeamAccount = (userId: string): RowFilter => ({
  accountId: rows(accountsOf(`(owner_user_id = ? or owner_user_id is null or owner_user_id in (${members}))`), userId),
});

/** What belongs to a ticket of an account that this user owns. */
export const ofTicketOfOwnAccount = (userId: string): RowFilter => ({
  ticketId: rows(
    `(select ticket_id from crm_core.crm_tickets where deleted_at is null and account_id in ${accountsOf('owner_user_id = ?')})`,
    userId,
  ),
});

/** What hangs on the leads of this user, on accounts and contacts (one book for all), or was made by them. */
export const onOwnSubject = (userId: string): RowFilter => ({
  $or: [
    { subjectId: rows(leadsOf('lead_id', mine), userId) },
    { subjectId: rows(leadsOf('person_id', mine), userId) },
    { subjectType: { $in: ['account', 'contact'] } },
    { createdBy: `user:${userId}` },
  ],
});

/** The same for the leads of the teams that this user manages. */
export const onTeamSubject = (userId: string): RowFilter => ({
  $or: [
    { subjectId: rows(leadsOf('lead_id', ofMyTeams), userId) },
    { subjectId: rows(leadsOf('person_id', ofMyTeams), userId) },
    { subjectType: { $in: ['account', 'contact'] } },
    { createdBy: `user:${userId}` },
  ],
});

/** What belongs to a lead assigned to this user. */
export const ofOwnLead = (userId: string): RowFilter => ({ leadId: rows(leadsOf('lead_id', mine), userId) });

/** The same for the leads of the teams that this user manages. */
export const ofTeamLead = (userId: string): RowFilter => ({ leadId: rows(leadsOf('lead_id', ofMyTeams), userId) });
