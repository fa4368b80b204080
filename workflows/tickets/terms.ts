import { z } from 'zod';
import { escalationActions, pausingStatuses, slaTargets } from './policy.ts';

const longestMinutes = 525_600;
const minutes = (least: number) =>
  z
    .int({ error: 'must be a whole number of minutes' })
    .min(least, { error: `must be at least ${least} minutes` })
    .max(longestMinutes, { error: 'must be at most 525,600 minutes, a year' });

const promises = z.strictObject({
  first_response: minutes(1).optional(),
  next_response: minutes(1).optional(),
  resolution: minutes(1).optional(),
});

/** Targets in business minutes of the policy's calendar; what is left out is not promised. */
export const targetsSchema = z.strictObject({
  P1: promises.optional(),
  P2: promises.optional(),
  P3: promises.optional(),
  P4: promises.optional(),
});

/** Statuses in which the clocks stand still. */
export const pauseStatusesSchema = z.array(z.enum(pausingStatuses)).max(pausingStatuses.length);

/** Clocks that stand still in those statuses; `['resolution']` leaves the promises to answer running. */
export const pausedTargetsSchema = z.array(z.enum(slaTargets)).max(slaTargets.length);

/** Percents of a target at which people are warned. */
export const warnAtSchema = z.array(z.int().min(1).max(99)).max(5);

/** Rungs of the ladder: minutes since the breach, by the policy's calendar (`business`) or as they pass (`wall`). */
export const escalationSchema = z
  .array(
    z.strictObject({
      target: z.enum(slaTargets),
      afterMinutes: minutes(0),
      clock: z.enum(['business', 'wall']).default('business'),
      action: z.enum(escalationActions),
    }),
  )
  .max(20);

export type Targets = z.output<typeof targetsSchema>;
export type EscalationRung = z.output<typeof escalationSchema>[number];

/**
 * What a rung is called on the clock of its target: `rung_reassign_10`, `rung_reassign_10_wall`. By what it does and when, so
 * that it is the same one in every ladder that has it; at most 38 characters.
 */
export function rungName({ action, afterMinutes, clock }: EscalationRung): string {
  return `rung_${action}_${afterMinutes}${clock === 'wall' ? '_wall' : ''}`;
}

/** What a policy promises, as a ticket keeps it from the moment it was chosen: later versions do not touch it. */
export const slaTermsSchema = z.object({
  name: z.string(),
  /** Null: around the clock. */
  calendarId: z.uuid().nullable(),
  targets: targetsSchema,
  pauseStatuses: pauseStatusesSchema,
  pausedTargets: pausedTargetsSchema,
  warnAt: warnAtSchema,
  escalation: escalationSchema,
  /** Wall minutes from the resolution to the closing. */
  closeAfterMinutes: minutes(0),
  /** Wall minutes from the resolution in which an answer of the customer reopens the ticket. */
  reopenWithinMinutes: minutes(0),
  /** Wall minutes in `waiting_for_customer`, counted anew from each reply, after which the ticket is resolved by itself. */
  resolveAfterMinutes: minutes(1),
  /** Wall minutes `on_hold` after which the ticket is open again by itself. */
  resumeAfterMinutes: minutes(1),
});
export type SlaTerms = z.output<typeof slaTermsSchema>;

/** Those by which a ticket does something itself, without a clock. */
export type OwnTerms = Pick<
  SlaTerms,
  'closeAfterMinutes' | 'reopenWithinMinutes' | 'resolveAfterMinutes' | 'resumeAfterMinutes'
>;

const dayMinutes = 1_440;

/**
 * Terms of a policy that says nothing else, and of a ticket without a policy: no promise, closed in four days; nobody is
 * waited for longer than two weeks.
 */
export const defaultTerms = {
  pauseStatuses: ['waiting_for_customer'],
  pausedTargets: [...slaTargets],
  warnAt: [50, 75],
  escalation: [],
  closeAfterMinutes: 4 * dayMinutes,
  reopenWithinMinutes: 30 * dayMinutes,
  resolveAfterMinutes: 14 * dayMinutes,
  resumeAfterMinutes: 14 * dayMinutes,
} satisfies Partial<SlaTerms>;

/**
 * The terms that a ticket keeps, or without a policy the usual ones. Those that were stored before a term was known (by a
 * worker of the version before, while a new one is rolled out) are completed by it.
 */
export function keptTerms(terms: SlaTerms | null): OwnTerms {
  return { ...defaultTerms, ...terms };
}

const termsParts = z.object({ targets: targetsSchema, escalation: escalationSchema });

/** Rules over a whole policy: it promises something, and escalates only what it promises. */
export function slaPolicyRules(policy: Record<string, unknown>): { path: string; message: string }[] {
  const parts = termsParts.safeParse(policy);
  if (!parts.success) return [];
  const promised = new Set(Object.values(parts.data.targets).flatMap((targets) => Object.keys(targets ?? {})));
  if (promised.size === 0)
    return [{ path: 'targets', message: 'promises nothing; give a priority at least one target in minutes' }];
  return parts.data.escalation.flatMap(({ target }, index) =>
    promised.has(target)
      ? []
      : [{ path: `escalation.${index}.target`, message: `is ${target}, for which no priority has a target` }],
  );
}
