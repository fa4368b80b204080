import { compileCalendar } from './business-time.ts';

const everyDay = [{ from: '00:00', to: '24:00' }];

/** Business time of whoever has no calendar: every minute counts. */
export const aroundTheClock = compileCalendar({
  timeZone: 'UTC',
  hours: {
    monday: everyDay,
    tuesday: everyDay,
    wednesday: everyDay,
    thursday: everyDay,
    friday: everyDay,
    saturday: everyDay,
    sunday: everyDay,
  },
  holidays: [],
  exceptions: [],
});
