import { integer, ratio, reference } from '../model/columns.ts';
import { resource } from '../model/define-resource.ts';
import { entity } from '../model/entity.ts';
import { allow } from './access-rules.ts';
import { Team } from './team.ts';
import { User } from './user.ts';

/** A place in a team and its turn in the order of assignment. */
export const TeamMember = entity('TeamMember', 'crm_team_members', {
  key: 'team_member_id',
  columns: {
    teamId: reference(() => Team),
    userId: reference(() => User),
    /** Breaks ties between members who never had a turn. */
    position: integer(0, 10_000, { default: 0 }),
    // What assignments count is no part of the record that a person edits, nor of its version.
    /** The team's running number when this member was last chosen; null: never. */
    lastTurn: integer(0, 2_147_483_647, { nullable: true, internal: true }),
    /** How often this member was chosen. */
    turns: integer(0, 2_147_483_647, { default: 0, internal: true }),
    /** Their place in the order by weight: each turn adds 1 / weight to what they, or meanwhile the team, had reached. */
    weightedTurns: ratio(0, 1e15, { default: 0, internal: true }),
  },
  uniques: [['teamId', 'userId']],
  indexes: [{ name: 'user', columns: 'user_id', where: 'deleted_at is null' }],
});

export const teamMembers = resource(TeamMember, {
  path: 'team-members',
  title: 'team member',
  creatable: ['teamId', 'userId', 'position'],
  patchable: ['position'],
  filterable: ['teamId', 'userId'],
  sortable: ['position', 'createdAt'],
  expandable: { team: 'teamId', user: 'userId' },
  read: allow('access:read'),
  write: allow('access:write'),
  feature: 'access',
  emits: 'team_member',
});
