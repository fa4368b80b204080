import type { ConnectionOptions } from '@temporalio/client';
import { type Env, temporalConnectConfig } from '../runtime/env.ts';
import { runningState } from '../runtime/run-state.ts';
import { channelArgsFor } from '../runtime/temporal-channel.ts';

/** Where Temporal is and what a client connects by. */
export interface TemporalPlace {
  namespace: string;
  connectionOptions: ConnectionOptions & { address: string };
}

/** The environment's Temporal, else the running installation's, with the namespace that it was started with; undefined without either. */
export function temporalOf(env: Env): TemporalPlace | undefined {
  const running = env.TEMPORAL_ADDRESS ? undefined : runningState(env.DATA_DIR);
  const address = env.TEMPORAL_ADDRESS ?? running?.temporalAddress;
  if (!address) return undefined;
  return {
    namespace: running?.temporalNamespace ?? env.TEMPORAL_NAMESPACE,
    connectionOptions: {
      ...temporalConnectConfig(env).connectionOptions,
      address,
      channelArgs: channelArgsFor(address),
    },
  };
}
