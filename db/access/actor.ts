import type { Actor } from '../../workflows/access/actor.ts';

export type { Actor };

/** The actor as stored in `created_by`, audit and ledger: `user:{id}`, `service:{client}`, `process:lead`, `temporal`. */
export function actorLabel(actor: Actor): string {
  switch (actor.kind) {
    case 'user':
      return `user:${actor.userId}`;
    case 'service':
      return `service:${actor.clientId}`;
    case 'process':
      return `process:${actor.process}`;
    case 'temporal':
      return 'temporal';
  }
}
