import type { Logger } from 'pino';
import type { Actor } from '../db/access/actor.ts';
import type { Membership } from '../db/access/membership.queries.ts';
import { refused } from './authentication.ts';
import { keptBriefly } from './kept-briefly.ts';

/**
 * A guard against good tokens of those who do not belong here: an organisation that is not there, a user whose identity
 * is suspended or deleted (out within seconds, not when the token expires). Who cannot be looked up does not get in:
 * Problem `unavailable` while PostgreSQL is away.
 */
export function createMembershipGuard(
  read: (organizationId: string) => Promise<Membership | null>,
  log: Logger,
): (actor: Actor) => Promise<void> {
  const membershipOf = keptBriefly(read);
  return async (actor) => {
    const membership = await membershipOf(actor.organizationId);
    if (!membership) throw refused(log, 'unknown organisation');
    if (actor.kind === 'user' && membership.lockedOut.has(actor.userId))
      throw refused(log, 'suspended or deleted identity');
  };
}
