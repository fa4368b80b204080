import { type FilterQuery, raw } from '@mikro-orm/postgresql';
import { type Permission, scopeOf } from '../../workflows/access/permissions.ts';
import type { Access, AccessRule } from '../model/define-resource.ts';
import type { RecordRow } from '../model/entity.ts';
import type { Actor } from './actor.ts';

type RowFilter = FilterQuery<RecordRow>;

/** Row filters for the scopes that a permission may grant below `all`. */
interface Scopes {
  own?: (whose: Whose) => RowFilter;
  team?: (whose: Whose) => RowFilter;
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
  return filter(actor);
}

/** Whose rows a filter shows. */
export interface Whose {
  userId: string;
  organizationId: string;
}

/** Rows whose column is in a subquery that names the user at each `:user` and the organisation at each `:organization`. */
const rows = (subquery: string, { userId, organizationId }: Whose) => ({
  $in: raw(
    subquery.replaceAll(/:(?:user|organization)\b/g, '?'),
    Array.from(subquery.matchAll(/:(user|organization)\b/g), ([, name]) => (name === 'user' ? userId : organizationId)),
  ),
});

const managed =
  'select team_id from crm_core.crm_teams where organization_id = :organization and manager_user_id = :user and deleted_at is null';
const members = `select user_id from crm_core.crm_team_members
  where organization_id = :organization and deleted_at is null and team_id in (${managed})`;
const leadsOf = (column: string, whose: string) =>
  `(select ${column} from crm_core.crm_leads where organization_id = :organization and ${whose} and deleted_at is null)`;
const mine = 'assigned_user_id = :user';
const ofMyTeams = `(assigned_user_id = :user or team_id is null or team_id in (${managed}))`;
const ownedByMe = 'owner_user_id = :user';
const ownedByMyTeams = `(owner_user_id = :user or owner_user_id is null or owner_user_id in (${members}))`;
const accountsOf = (whose: string) =>
  `(select account_id from crm_core.crm_accounts where organization_id = :organization and ${whose} and deleted_at is null)`;

/** Users in the teams that this user manages. */
export const ofTeamMember = (whose: Whose) => rows(`(${members})`, whose);

/** Leads assigned to this user (spec/4: `lead.assigned_to_id = current_user.id`). */
export const ownLead = ({ userId }: Whose): RowFilter => ({ assignedUserId: userId });

/** Leads of the teams that this user manages, and those that no team has yet. */
export const teamLead = (whose: Whose): RowFilter => ({
  $or: [{ teamId: rows(`(${managed})`, whose) }, { teamId: null }, { assignedUserId: whose.userId }],
});

/** People behind the leads assigned to this user. */
export const personOfOwnLead = (whose: Whose): RowFilter => ({
  $or: [{ id: rows(leadsOf('person_id', mine), whose) }, { createdBy: `user:${whose.userId}` }],
});

/** People that this user may read: behind their own leads, and behind the contacts, which are one book for all. */
export const personOfOwnLeadOrContact = (whose: Whose): RowFilter => ({
  $or: [
    personOfOwnLead(whose),
    {
      id: rows(
        '(select person_id from crm_core.crm_contacts where organization_id = :organization and deleted_at is null)',
        whose,
      ),
    },
  ],
});

/** People behind the leads of the teams that this user manages, and behind those of nobody's team. */
export const personOfTeamLead = (whose: Whose): RowFilter => ({
  $or: [{ id: rows(leadsOf('person_id', ofMyTeams), whose) }, { createdBy: `user:${whose.userId}` }],
});

/** What hangs on accounts that this user owns. Not what they made themselves: that would let anything be made. */
export const onOwnAccount = (whose: Whose): RowFilter => ({
  accountId: rows(accountsOf(ownedByMe), whose),
});

/** The same, and what hangs on accounts owned within the teams that this user manages, or owned by nobody. */
export const onTeamAccount = (whose: Whose): RowFilter => ({
  accountId: rows(accountsOf(ownedByMyTeams), whose),
});

/** What belongs to a ticket of an account that this user owns. */
export const ofTicketOfOwnAccount = (whose: Whose): RowFilter => ({
  ticketId: rows(
    `(select ticket_id from crm_core.crm_tickets
      where organization_id = :organization and deleted_at is null and account_id in ${accountsOf(ownedByMe)})`,
    whose,
  ),
});

/** What this user may read of what hangs on records: on own leads, on accounts and contacts (one book for all), own work. */
export const onReadableSubject = (whose: Whose): RowFilter => ({
  $or: [
    { subjectId: rows(leadsOf('lead_id', mine), whose) },
    { subjectId: rows(leadsOf('person_id', mine), whose) },
    { subjectType: { $in: ['account', 'contact'] } },
    madeBy(whose),
  ],
});

const madeBy = ({ userId }: Whose): RowFilter => ({ createdBy: `user:${userId}` });

const onRecords =
  (leads: string, accounts: string) =>
  (whose: Whose): RowFilter => ({
    $or: [
      leadsOf('lead_id', leads),
      leadsOf('person_id', leads),
      accountsOf(accounts),
      `(select contact_id from crm_core.crm_contacts
      where organization_id = :organization and deleted_at is null and account_id in ${accountsOf(accounts)})`,
    ].map((subjects) => ({ subjectId: rows(subjects, whose) })),
  });

/** What hangs on the leads of this user and the people behind them, on accounts that they own and the contacts there. */
export const onOwnRecord = onRecords(mine, ownedByMe);

/** The same for the teams that this user manages, and for what nobody has. */
export const onTeamRecord = onRecords(ofMyTeams, ownedByMyTeams);

/** What this user wrote, and what hangs on their own records. */
export const ownOrOnOwnRecord = (whose: Whose): RowFilter => ({ $or: [madeBy(whose), onOwnRecord(whose)] });

/** The same for the teams that this user manages. */
export const ofTeamOrOnTeamRecord = (whose: Whose): RowFilter => ({
  $or: [
    madeBy(whose),
    { createdBy: rows(`(select 'user:' || user_id from (${members}) m)`, whose) },
    onTeamRecord(whose),
  ],
});

/** What belongs to a lead assigned to this user. */
export const ofOwnLead = (whose: Whose): RowFilter => ({ leadId: rows(leadsOf('lead_id', mine), whose) });

/** The same for the leads of the teams that this user manages. */
export const ofTeamLead = (whose: Whose): RowFilter => ({ leadId: rows(leadsOf('lead_id', ofMyTeams), whose) });
