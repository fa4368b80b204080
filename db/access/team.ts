import { reference, text } from '../model/columns.ts';
import { resource } from '../model/define-resource.ts';
import { entity } from '../model/entity.ts';
import { allow } from './access-rules.ts';
import { User } from './user.ts';

/** People who share incoming work, with a manager who hears when it is late. */
export const Team = entity('Team', 'crm_teams', {
  key: 'team_id',
  columns: {
    name: text(120),
    managerUserId: reference(() => User, { nullable: true }),
    /** Gets a lead, or a ticket that they have the skills for, when no member has room. */
    fallbackUserId: reference(() => User, { nullable: true }),
  },
  search: ['name'],
  uniques: [['name']],
});

export const teams = resource(Team, {
  path: 'teams',
  title: 'team',
  creatable: ['name', 'managerUserId', 'fallbackUserId'],
  patchable: ['name', 'managerUserId', 'fallbackUserId'],
  filterable: ['name', 'managerUserId'],
  sortable: ['name', 'createdAt'],
  expandable: { manager: 'managerUserId', fallbackUser: 'fallbackUserId' },
  read: allow('access:read'),
  write: allow('access:write'),
  feature: 'access',
  emits: 'team',
});
