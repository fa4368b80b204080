import { Calendar } from '../calendars/calendar.ts';
import { identifier, integer, text } from '../model/columns.ts';
import { resource } from '../model/define-resource.ts';
import { entity } from '../model/entity.ts';
import { countrySchema, slugSchema } from '../model/formats.ts';
import { allow } from './access-rules.ts';
import { User } from './user.ts';

/** A tenant: every row of every table belongs to one. */
export const Organization = entity('Organization', 'core_organizations', {
  key: 'organization_id',
  columns: {
    /** Its short name: in support addresses, and on the command line. */
    slug: { ...text(60), schema: slugSchema(60) },
    name: text(200),
    /** ISO 3166-1 alpha-2: the region of a phone number written without country code. */
    defaultRegion: { ...text(2, { default: 'DE' }), schema: countrySchema },
    /** Gets a lead that no rule and no team has room for. */
    fallbackUserId: identifier({ nullable: true, target: () => User }),
    /** Tickets are numbered 1, 2, 3 … in each organisation. */
    lastTicketNumber: integer(0, 2_147_483_647, { default: 0, internal: true }),
    /** Business hours of people without a calendar of their own. */
    calendarId: identifier({ nullable: true, target: () => Calendar }),
  },
  uniques: [['slug']],
});

export const organizations = resource(Organization, {
  path: 'organizations',
  title: 'organization',
  creatable: [],
  patchable: ['name', 'defaultRegion', 'fallbackUserId', 'calendarId'],
  filterable: ['slug'],
  sortable: ['name', 'createdAt'],
  read: allow('access:read'),
  write: allow('access:write'),
  feature: 'access',
  emits: 'organization',
});
