import type { Logger } from 'pino';
import type { Actor } from '../db/access/actor.ts';
import { refused } from './authentication.ts';
import { keptBriefly } from './kept-briefly.ts';

/**
 * A guard against users whom `read` names, however good their token is: a suspended identity is out within seconds, not
 * when its token expires. Who cannot be looked up does not get in: Problem `unavailable` while PostgreSQL is away.
 */
export function createLockOut(
  read: (organizationId: string) => Promise<ReadonlySet<string>>,
  log: Logger,
): (actor: Actor) => Promise<void> {
  const lockedOut = keptBriefly(read);
  return async (actor) => {
    if (actor.kind === 'user' && (await lockedOut(actor.organizationId)).has(actor.userId)) {
      throw refused(log, 'suspended or deleted identity');
    }
  };
}
