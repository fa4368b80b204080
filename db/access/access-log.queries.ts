import { v7 as uuidv7 } from 'uuid';
import { type Database, inOrganization } from '../database.ts';
import { baseColumns } from '../model/changes.ts';
import { insertRows } from '../model/set-based.ts';
import { AccessEvent } from './access-event.ts';
import { type Actor, actorLabel } from './actor.ts';
import { Session } from './session.ts';

/** A token as it was verified; `tokenId` is its `jti`. */
export interface SeenToken {
  tokenId: string;
  issuedAt: Date | null;
  expiresAt: Date;
}

/** Where a request went: method and route pattern, and its request ID. */
export interface Visit {
  route: string;
  requestId: string;
  at: Date;
}

/** Notes that a user's token is in use; the first time it begins a session, with an access event. */
export async function recordSession(
  database: Database,
  actor: Extract<Actor, { kind: 'user' }>,
  token: SeenToken,
  visit: Visit,
): Promise<void> {
  const { organizationId, userId } = actor;
  await inOrganization(database, organizationId, async (em) => {
    const known: { affectedRows: number } = await em.execute(
      'update crm_core.core_sessions set last_seen_at = ?, updated_at = ?, version = version + 1 where organization_id = ? and token_id = ? and deleted_at is null',
      [visit.at, visit.at, organizationId, token.tokenId],
      'run',
    );
    if (known.affectedRows > 0) return;
    const base = baseColumns({ organizationId, actor, at: visit.at });
    await insertRows(em, [
      { into: Session, rows: [{ id: uuidv7(), ...base, userId, ...token, lastSeenAt: visit.at }], unlessKnown: true },
      {
        into: AccessEvent,
        rows: [
          {
            id: uuidv7(),
            ...base,
            kind: 'session_started',
            actor: actorLabel(actor),
            route: visit.route,
            requestId: visit.requestId,
            happenedAt: visit.at,
          },
        ],
      },
    ]);
  });
}

/** Notes that a caller was refused for want of rights. */
export async function recordRefusal(database: Database, actor: Actor, { route, requestId, at }: Visit): Promise<void> {
  const { organizationId } = actor;
  await inOrganization(database, organizationId, (em) =>
    insertRows(em, [
      {
        into: AccessEvent,
        rows: [
          {
            id: uuidv7(),
            ...baseColumns({ organizationId, actor, at }),
            kind: 'access_refused',
            actor: actorLabel(actor),
            route,
            requestId,
            happenedAt: at,
          },
        ],
      },
    ]),
  );
}
