import {
  type EvaluationContext,
  type Logger,
  OpenFeature,
  type Provider,
  type ResolutionDetails,
  TypeMismatchError,
} from '@openfeature/server-sdk';
import { v7 as uuidv7 } from 'uuid';
import { Problem } from '../db/model/problem.ts';

/** The switches that an organisation has set, by name. */
export type ReadFlags = (organizationId: string) => Promise<Readonly<Record<string, boolean>>>;

const freshMilliseconds = 3_000;

/** OpenFeature's view of `crm_feature_flags`: boolean flags only, kept for some seconds; a flag without a row has its default. */
class FlagTableProvider implements Provider {
  readonly metadata = { name: 'crm_feature_flags' };
  readonly runsOn = 'server';
  private readonly read: ReadFlags;
  private readonly known = new Map<string, { flags: ReturnType<ReadFlags>; until: number }>();

  constructor(read: ReadFlags) {
    this.read = read;
  }

  async resolveBooleanEvaluation(
    flag: string,
    fallback: boolean,
    { targetingKey = '' }: EvaluationContext,
  ): Promise<ResolutionDetails<boolean>> {
    const flags = await this.flagsOf(targetingKey);
    return { value: flags[flag] ?? fallback };
  }

  resolveStringEvaluation(flag: string): Promise<ResolutionDetails<string>> {
    return notBoolean(flag);
  }

  resolveNumberEvaluation(flag: string): Promise<ResolutionDetails<number>> {
    return notBoolean(flag);
  }

  resolveObjectEvaluation<T>(flag: string): Promise<ResolutionDetails<T>> {
    return notBoolean(flag);
  }

  private flagsOf(organizationId: string): ReturnType<ReadFlags> {
    const now = performance.now();
    const kept = this.known.get(organizationId);
    if (kept && kept.until > now) return kept.flags;
    const flags = this.read(organizationId);
    this.known.set(organizationId, { flags, until: now + freshMilliseconds });
    // A failed look-up is not kept.
    flags.catch(() => this.known.delete(organizationId));
    return flags;
  }
}

function notBoolean(flag: string): Promise<never> {
  return Promise.reject(new TypeMismatchError(`${flag} is a boolean flag`));
}

/** Refuses with `feature_disabled` while a module is switched off for an organisation; what nobody switched is on. */
export type RequireFeature = (feature: string, organizationId: string) => Promise<void>;

/** A guard over OpenFeature. A database that is away switches nothing off: the request itself will say so. */
export function createFeatureGuard(read: ReadFlags, log: Logger): RequireFeature {
  // A domain of its own: OpenFeature's registry of providers is global to the process.
  const domain = uuidv7();
  OpenFeature.setProvider(domain, new FlagTableProvider(read));
  const client = OpenFeature.getClient(domain);
  client.setLogger(log);
  return async (feature, organizationId) => {
    const on = await client.getBooleanValue(`crm_feature_${feature}`, true, { targetingKey: organizationId });
    if (!on) throw new Problem('feature_disabled', `The module "${feature}" is switched off for your organisation.`);
  };
}
