import type { HttpBindings } from '@hono/node-server';
import type { Actor } from '../db/access/actor.ts';

/** What travels with one request through Hono. Bindings are absent when a test calls the app without a port. */
export interface ApiEnv {
  Bindings: Partial<HttpBindings>;
  Variables: {
    requestId: string;
    /** The declared path, such as `/crm/v1/leads/{id}`; absent for unknown paths. */
    route?: string;
    actor?: Actor;
  };
}
