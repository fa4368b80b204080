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
import { keptBriefly } from './kept-briefly.ts';

/** The switches that an organisation has set, by name. */
export type ReadFlags = (organizationId: string) => Promise<Readonly<Record<string, boolean>>>;

/** OpenFeature's view of `crm_feature_flags`: boolean flags only; a flag without a row has its default. */
class FlagTableProvider implements Provider {
  readonly metadata = { name: 'crm_feature_flags' };
  readonly runsOn = 'server';
  private readonly read: ReadFlags;

  constructor(read: ReadFlags) {
    this.read = keptBriefly(read);
  }

  async resolveBooleanEvaluation(
    flag: string,
    fallback: boolean,
    { targetingKey = '' }: EvaluationContext,
  ): Promise<ResolutionDetails<boolean>> {
    const flags = await this.read(targetingKey);
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
