import { v7 as uuidv7 } from 'uuid';
import type { Actor } from '../../../db/access/actor.ts';
import type { Database } from '../../../db/database.ts';
import { readIntakeDefaults } from '../../../db/leads/intake.queries.ts';
import type { Resource } from '../../../db/model/define-resource.ts';
import { Problem, type ProblemEntry } from '../../../db/model/problem.ts';
import { parseOrRefuse } from '../../../db/model/schemas.ts';
import { resourceAt } from '../../../db/registry.ts';
import type { RecordsService } from '../../../db/records.ts';
import { createTicketBody } from '../../../workflows/tickets/create.ts';
import { ticketProcess } from '../../../workflows/tickets/messages.ts';
import { readOpening, type StoredOpening } from '../../../workflows/tickets/opening.ts';
import type { Dispatcher } from '../../processes/dispatch.ts';
import type { StartProcess } from '../process-creation.ts';
import { requirePermission } from '../row-access.ts';

interface Parts {
  database: Database;
  records: RecordsService;
  dispatcher: Dispatcher;
}

/** The starting command of the ticket process: `POST /crm/v1/tickets`. */
export function createTicketOpening({ database, records, dispatcher }: Parts): StartProcess {
  return (write, input, respondAsync) =>
    dispatcher.dispatch(write, {
      process: ticketProcess,
      message: ticketProcess.startUpdate,
      async check() {
        requirePermission(write.actor, 'tickets:create');
        const body = await openingOf(database, write.actor, input);
        await refuseUnknown(records, write.actor, body);
        return { recordId: uuidv7(), body, present: { status: 'open', stage: 'received' } };
      },
      respondAsync,
    });
}

async function openingOf(database: Database, { organizationId }: Actor, input: unknown): Promise<StoredOpening> {
  const body = parseOrRefuse(createTicketBody, input, 'This ticket');
  // Only a phone number is read by the region of the organisation.
  const defaults =
    body.requester?.phone === undefined ? { defaultRegion: '' } : await readIntakeDefaults(database, organizationId);
  const { opening, errors } = readOpening(body, defaults);
  if (errors.length > 0) throw new Problem('invalid', 'This ticket is not valid; see errors.', errors);
  return opening;
}

/** Person and account have to be records that the caller can see. Problem `reference_not_found` otherwise. */
async function refuseUnknown(
  records: RecordsService,
  actor: Actor,
  { requesterPersonId, accountId }: StoredOpening,
): Promise<void> {
  const errors = [
    ...(await unknown(records, actor, resourceAt('people'), 'requesterPersonId', requesterPersonId)),
    ...(await unknown(records, actor, resourceAt('accounts'), 'accountId', accountId)),
  ];
  if (errors.length > 0)
    throw new Problem('reference_not_found', 'A referenced record does not exist; see errors.', errors);
}

async function unknown(
  records: RecordsService,
  actor: Actor,
  resource: Resource,
  path: string,
  id: string | null,
): Promise<ProblemEntry[]> {
  if (id === null) return [];
  try {
    await records.get(actor, resource, id, { fields: ['id'] });
    return [];
  } catch (error) {
    if (!(error instanceof Problem) || (error.code !== 'not_found' && error.code !== 'forbidden')) throw error;
    return [{ path, message: `there is no ${resource.title} ${id}` }];
  }
}
