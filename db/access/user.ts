import { Calendar } from '../calendars/calendar.ts';
import { flag, identifier, instant, integer, list, ratio, reference, text } from '../model/columns.ts';
import { resource } from '../model/define-resource.ts';
import { entity, type EntityDefinition } from '../model/entity.ts';
import { emailSchema } from '../model/formats.ts';
import { allow } from './access-rules.ts';
import { identities } from './identity.ts';

const colleague = (): EntityDefinition => User;

/** A person at work: how much they take, when they work, who stands in for them. */
export const User = entity('User', 'crm_users', {
  key: 'user_id',
  columns: {
    fullName: text(200),
    email: { ...text(320), schema: emailSchema },
    active: flag({ default: true }),
    /** Most open leads at once. */
    capacity: integer(0, 100_000, { default: 100 }),
    /** Open leads assigned now: kept by the trigger on crm_leads, since assignment asks for it in every decision. */
    openLeads: integer(0, 2_147_483_647, { default: 0, internal: true }),
    /** Most open tickets at once; counted apart from leads. */
    ticketCapacity: integer(0, 100_000, { default: 25 }),
    /** Open tickets assigned now: kept by the trigger on crm_tickets. */
    openTickets: integer(0, 2_147_483_647, { default: 0, internal: true }),
    /** Most leads, and most tickets, assigned on one local day; null: no limit. */
    dailyQuota: integer(0, 100_000, { nullable: true }),
    /** Share in weighted assignment. */
    weight: ratio(0.01, 100, { default: 1 }),
    skills: list(50, { default: [] }),
    calendarId: reference(() => Calendar, { nullable: true }),
    outOfOfficeFrom: instant({ nullable: true }),
    outOfOfficeUntil: instant({ nullable: true }),
    delegateUserId: identifier({ nullable: true, target: colleague }),
  },
  search: ['fullName', 'email'],
  uniques: [['email']],
});

export const users = resource(User, {
  path: 'users',
  title: 'user',
  creatable: [
    'fullName',
    'email',
    'active',
    'capacity',
    'ticketCapacity',
    'dailyQuota',
    'weight',
    'skills',
    'calendarId',
    'outOfOfficeFrom',
    'outOfOfficeUntil',
    'delegateUserId',
  ],
  patchable: [
    'fullName',
    'email',
    'active',
    'capacity',
    'ticketCapacity',
    'dailyQuota',
    'weight',
    'skills',
    'calendarId',
    'outOfOfficeFrom',
    'outOfOfficeUntil',
    'delegateUserId',
  ],
  filterable: ['email', 'active', 'calendarId'],
  sortable: ['fullName', 'createdAt'],
  expandable: { calendar: 'calendarId' },
  read: allow('access:read'),
  write: allow('access:write'),
  rules: ({ id, outOfOfficeFrom: from, outOfOfficeUntil: until, delegateUserId }) => [
    ...(typeof from === 'string' && typeof until === 'string' && from >= until
      ? [{ path: 'outOfOfficeUntil', message: 'must be after outOfOfficeFrom' }]
      : []),
    ...(from === null && until !== null
      ? [{ path: 'outOfOfficeFrom', message: 'is needed with outOfOfficeUntil' }]
      : []),
    ...(delegateUserId === id ? [{ path: 'delegateUserId', message: 'must be somebody else' }] : []),
  ],
  counterpart: { resource: identities, match: 'email', properties: ['email', 'fullName'] },
  feature: 'access',
  emits: 'user',
});
