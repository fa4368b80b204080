import { createAutomationActivities } from './automation.ts';
import type { SubscriberDeps } from './automation/subscribers.ts';
import type { AutomationActivities } from './automation.types.ts';
import { withFailures } from './failures.ts';
import { createLeadActivities } from './leads.ts';
import type { LeadActivities } from './leads.types.ts';
import type { MailExchange } from './ports.ts';
import { createTicketActivities } from './tickets.ts';
import type { TicketActivities } from './tickets.types.ts';

/** What the activities need from outside: databases, Temporal, and the ports. */
export interface ActivityDeps extends SubscriberDeps {
  mailExchange: MailExchange;
}

/** Every activity of the product; a worker registers the result. Errors leave as `failures.ts` maps them. */
export function createActivities(deps: ActivityDeps): LeadActivities & TicketActivities & AutomationActivities {
  return withFailures({
    ...createLeadActivities(deps),
    ...createTicketActivities(deps),
    ...createAutomationActivities(deps),
  });
}
