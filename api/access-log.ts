import type { Logger } from 'pino';
import { recordRefusal, recordSession, type Visit } from '../db/access/access-log.queries.ts';
import type { Actor } from '../db/access/actor.ts';
import type { Database } from '../db/database.ts';
import type { Caller } from './authentication.ts';
import { Background } from './background.ts';

/** Keeps sessions and refusals for want of rights, behind the answers; a lost entry is a log line, never a failed request. */
export interface AccessLog {
  /** A caller got in: one session for each token of a user, its last use kept every five minutes. */
  seen(caller: Caller, visit: Visit): void;
  /** A caller was refused for want of rights. */
  refused(actor: Actor, visit: Visit): void;
  /** Resolves when every entry is written, or lost with a log line. */
  drained(): Promise<void>;
}

const againAfterMilliseconds = 5 * 60_000;
const mostRemembered = 100_000;

/** Makes the access log over a database; what it remembers of tokens is this process's own. */
export function createAccessLog(database: Database, log: Logger): AccessLog {
  // Nobody else has these entries.
  const background = new Background({ atStop: 'finished' });
  const lastKept = new Map<string, number>();

  const keep = (write: () => Promise<void>) =>
    background.add(() => write().catch((err: unknown) => log.warn({ err }, 'access log entry lost')));

  return {
    seen({ actor, token }, visit) {
      if (actor.kind !== 'user' || !token) return;
      const at = visit.at.getTime();
      if (at - (lastKept.get(token.tokenId) ?? Number.NEGATIVE_INFINITY) < againAfterMilliseconds) return;
      if (lastKept.size >= mostRemembered) lastKept.clear();
      lastKept.set(token.tokenId, at);
      keep(() => recordSession(database, actor, token, visit));
    },
    refused(actor, visit) {
      keep(() => recordRefusal(database, actor, visit));
    },
    drained: () => background.drained(),
  };
}
