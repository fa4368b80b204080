import { calendarRules } from '../../workflows/calendars/calendar-rules.ts';
import { exceptionsSchema, holidaysSchema, hoursSchema, timeZoneSchema } from '../../workflows/calendars/calendar.ts';
import { allow } from '../access/access-rules.ts';
import { json, text } from '../model/columns.ts';
import { resource } from '../model/define-resource.ts';
import { entity } from '../model/entity.ts';

/** Business hours: weekly shifts in a time zone, holidays, exceptional days. */
export const Calendar = entity('Calendar', 'crm_calendars', {
  key: 'calendar_id',
  columns: {
    name: text(120),
    timeZone: { ...text(64), schema: timeZoneSchema },
    hours: json(hoursSchema),
    holidays: json(holidaysSchema, { default: [] }),
    exceptions: json(exceptionsSchema, { default: [] }),
  },
  search: ['name'],
  uniques: [['name']],
});

export const calendars = resource(Calendar, {
  path: 'calendars',
  title: 'calendar',
  creatable: ['name', 'timeZone', 'hours', 'holidays', 'exceptions'],
  patchable: ['name', 'timeZone', 'hours', 'holidays', 'exceptions'],
  filterable: ['name', 'timeZone'],
  sortable: ['name', 'createdAt'],
  read: allow('configuration:read'),
  write: allow('configuration:write'),
  rules: calendarRules,
  example: { timeZone: 'Europe/Berlin', hours: { monday: [{ from: '09:00', to: '17:00' }] } },
  feature: 'calendars',
  emits: 'calendar',
});
