import type { Database } from '../db/database.ts';
import { readLeadProcess } from '../db/leads/process.queries.ts';
import type { Resource } from '../db/model/define-resource.ts';
import { resources } from '../db/registry.ts';
import { readTicketProcess } from '../db/tickets/process.queries.ts';
import { leadProcess } from '../workflows/leads/messages.ts';
import { ticketProcess } from '../workflows/tickets/messages.ts';
import { resourceOfProcess } from './processes/processes.ts';
import { previewRoute } from './rest/commands/calendars.ts';
import { captureRoute, createCapture, createIntakeReader, routeProjectionRoute } from './rest/commands/leads.ts';
import { activityLogRoute } from './rest/commands/activities.ts';
import { policyChangeRoutes } from './rest/commands/sla-policies.ts';
import { createTicketOpening } from './rest/commands/tickets.ts';
import { articleRoutes, suggestionsRoute } from './rest/commands/articles.ts';
import { processCreation, type StartProcess } from './rest/process-creation.ts';
import { type ProcessDependencies, processRoutes, type ProcessSurface } from './rest/processes.ts';
import { plainCreation, recordRoutes } from './rest/records.ts';
import { slaReportRoute } from './rest/reports.ts';
import type { CallerRoute } from './route.ts';

export interface RouteDependencies extends ProcessDependencies {
  database: Database;
}

/** Every route for callers: the generic verbs of each resource, the processes, and the commands of each domain. */
export function createRoutes(dependencies: RouteDependencies): CallerRoute[] {
  const { records, database, dispatcher } = dependencies;
  const readIntake = createIntakeReader(database);
  const capture = createCapture(readIntake, dispatcher);
  const starts: Readonly<Record<string, StartProcess>> = {
    [leadProcess.name]: capture,
    [ticketProcess.name]: createTicketOpening({ database, records, dispatcher }),
  };
  const surfaces: readonly ProcessSurface[] = [
    {
      process: leadProcess,
      resource: resourceOfProcess(leadProcess),
      read: (actor, id) => readLeadProcess(database, actor, id),
    },
    {
      process: ticketProcess,
      resource: resourceOfProcess(ticketProcess),
      read: (actor, id) => readTicketProcess(database, actor, id),
    },
  ];
  const creationOf = (resource: Resource) => {
    const start = resource.process && starts[resource.process.name];
    return start ? processCreation(resource, dependencies, start) : plainCreation(resource, records);
  };
  return [
    captureRoute(capture),
    activityLogRoute(database),
    routeProjectionRoute(database, readIntake),
    ...surfaces.flatMap((surface) => processRoutes(surface, dependencies)),
    previewRoute(records),
    slaReportRoute(database),
    ...policyChangeRoutes(database),
    ...articleRoutes(database),
    suggestionsRoute(database),
    ...resources.flatMap((resource) => recordRoutes(resource, records, creationOf(resource))),
  ];
}
