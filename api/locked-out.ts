import type { Logger } from 'pino';
import { type Authenticate, refused } from './authentication.ts';
import { keptBriefly } from './kept-briefly.ts';

/**
 * Refuses users whom `read` names, however good their token is: a suspended identity is out within seconds, not when its
 * token expires.
 */
export function refuseLockedOut(
  authenticate: Authenticate,
  read: (organizationId: string) => Promise<ReadonlySet<string>>,
  log: Logger,
): Authenticate {
  const lockedOut = keptBriefly(read);
  return async (authorization) => {
    const caller = await authenticate(authorization);
    const { actor } = caller;
    if (actor.kind === 'user' && (await lockedOut(actor.organizationId)).has(actor.userId)) {
      throw refused(log, 'suspended or deleted identity');
    }
    return caller;
  };
}
