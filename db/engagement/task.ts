import { allow, ofTeamMember, type Whose } from '../access/access-rules.ts';
import { User } from '../access/user.ts';
import { choice, identifier, instant, longText, reference, text } from '../model/columns.ts';
import { resource } from '../model/define-resource.ts';
import { entity } from '../model/entity.ts';
import { subjectTypes } from './subject.ts';

const mine = ({ userId }: Whose) => ({ $or: [{ assignedUserId: userId }, { createdBy: `user:${userId}` }] });
const ofTeam = (whose: Whose) => ({
  $or: [
    { assignedUserId: ofTeamMember(whose) },
    { assignedUserId: null },
    { assignedUserId: whose.userId },
    { createdBy: `user:${whose.userId}` },
  ],
});

/** Work for a person by a time. Not a deal (spec/3). */
export const Task = entity('Task', 'crm_tasks', {
  key: 'task_id',
  columns: {
    title: text(200),
    description: longText(20_000, { nullable: true }),
    status: choice(['open', 'done', 'cancelled'], { default: 'open' }),
    priority: choice(['low', 'normal', 'high'], { default: 'normal' }),
    dueAt: instant({ nullable: true }),
    assignedUserId: reference(() => User, { nullable: true }),
    subjectType: choice(subjectTypes, { nullable: true }),
    subjectId: identifier({ nullable: true }),
  },
  search: ['title', 'description'],
  indexes: [
    { name: 'assignee', columns: 'assigned_user_id, status, due_at', where: 'deleted_at is null' },
    { name: 'subject', columns: 'subject_id', where: 'deleted_at is null' },
  ],
});

export const tasks = resource(Task, {
  path: 'tasks',
  title: 'task',
  creatable: ['title', 'description', 'status', 'priority', 'dueAt', 'assignedUserId', 'subjectType', 'subjectId'],
  patchable: ['title', 'description', 'status', 'priority', 'dueAt', 'assignedUserId', 'subjectType', 'subjectId'],
  filterable: ['status', 'priority', 'dueAt', 'assignedUserId', 'subjectType', 'subjectId'],
  sortable: ['createdAt', 'updatedAt'],
  expandable: { assignedUser: 'assignedUserId' },
  read: allow('tasks:read', { own: mine }),
  write: allow('tasks:write', { own: mine, team: ofTeam }),
  feature: 'engagement',
});
