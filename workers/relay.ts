import type { Client } from '@temporalio/client';
import type { Logger } from 'pino';
import type { Deliver } from '../api/processes/delivery.ts';
import { forgetOldAnswers } from '../db/automation/ledger-retention.queries.ts';
import type { Database } from '../db/database.ts';
import { createOutboxRound } from './outbox.ts';
import { createOwedCommandsRound } from './owed-commands.ts';
import { type Loop, poll } from './poll.ts';

export interface RelayDeps {
  /** Sees every organisation. */
  relay: Database;
  /** As the API delivers. */
  deliver: Deliver;
  temporal: Client;
  /** Queue of the delivery workflows. */
  taskQueue: string;
  log: Logger;
}

const forgottenAtOnce = 1_000;
const minute = 60_000;

/**
 * Starts what brings PostgreSQL's side of the truth to Temporal: owed commands, domain events; and has the ledger forget
 * old answers. Several workers relay side by side. `stop` lets the rounds under way end.
 */
export function startRelay({ relay, deliver, temporal, taskQueue, log }: RelayDeps): Loop {
  const forget = async () => ((await forgetOldAnswers(relay, forgottenAtOnce)) >= forgottenAtOnce ? 'more' : 'none');
  const loops = [
    poll(createOwedCommandsRound({ relay, deliver, log }), {
      name: 'owed commands',
      log,
      pauseMilliseconds: 1_000,
    }),
    poll(createOutboxRound({ relay, temporal, taskQueue, log }), {
      name: 'outbox',
      log,
      // A batch costs a workflow, so that few large ones are much cheaper than many small ones.
      pauseMilliseconds: 2_000,
    }),
    poll(forget, { name: 'ledger retention', log, pauseMilliseconds: 5 * minute }),
  ];
  return {
    async stop() {
      await Promise.all(loops.map((loop) => loop.stop()));
    },
  };
}
