import { z } from 'zod';
import { activityTypes } from '../engagement/activity-types.ts';
import { leadConditions } from './conditions.ts';
import type { LeadFacts } from './facts.ts';
import { line } from '../processes/text.ts';

/** From the least to the most promising. */
export const scoreBands = ['cold', 'warm', 'hot'] as const;
export type ScoreBand = (typeof scoreBands)[number];

/** What a lead can do that counts: activities, and to be captured again, which is merged into it. */
export const engagementTypes = [...activityTypes, 'capture'] as const;

const maxScore = 100;
const score = z.int().min(0).max(maxScore);

const uniqueBy = <T>(key: (item: T) => string, what: string) => ({
  check: (items: T[]) => new Set(items.map(key)).size === items.length,
  error: `must not name ${what} twice`,
});

const labels = uniqueBy((criterion: { label: string }) => criterion.label, 'a label');
const types = uniqueBy((criterion: { activityType: string }) => criterion.activityType, 'an activity type');

/** The JSON columns of a scoring model. Points are on a scale of 0 to 100; negative fit points count against a lead. */
export const scoringModelColumns = {
  /** What the lead is: a condition that holds gives its points. */
  fit: z
    .array(
      z.strictObject({
        label: line(120, 'In our market'),
        when: leadConditions.text,
        points: z.int().min(-maxScore).max(maxScore),
      }),
    )
    .max(100)
    .refine(labels.check, { error: labels.error }),
  /** What the lead does: each activity of the type gives its points, which halve every `halfLifeDays`. */
  engagement: z
    .array(
      z.strictObject({
        // One that never happens would be worth nothing in silence.
        activityType: z.enum(engagementTypes, { error: `must be one of ${engagementTypes.join(', ')}` }),
        points: z.int().min(1).max(maxScore),
        halfLifeDays: z.number().min(0.1).max(3650),
      }),
    )
    .max(100)
    .refine(types.check, { error: types.error }),
  /** Lowest score of the warm and of the hot band; what is below is cold. */
  bands: z
    .strictObject({ warm: score.min(1), hot: score.min(1) })
    .refine(({ warm, hot }) => warm < hot, { path: ['hot'], error: 'must be above warm' }),
};

/** What scoring reads of a scoring model; a row of crm_scoring_models is one. */
export interface ScoringModel {
  fitWeight: number;
  engagementWeight: number;
  fit: z.output<typeof scoringModelColumns.fit>;
  engagement: z.output<typeof scoringModelColumns.engagement>;
  bands: z.output<typeof scoringModelColumns.bands>;
}

const weightTolerance = 0.0001;

/** Rules over a whole model whose columns are valid: the weights share out 1, and a weight has something to weigh. */
export function scoringModelRules(
  model: Partial<Record<keyof ScoringModel, unknown>>,
): { path: string; message: string }[] {
  const { fitWeight, engagementWeight, fit, engagement } = model as ScoringModel;
  const entries = [];
  if (Math.abs(fitWeight + engagementWeight - 1) > weightTolerance) {
    const sum = Number((fitWeight + engagementWeight).toFixed(4));
    entries.push({ path: 'engagementWeight', message: `and fitWeight must add up to 1, not to ${sum}` });
  }
  if (fitWeight > 0 && fit.length === 0) entries.push({ path: 'fit', message: 'needs a criterion, or fitWeight 0' });
  if (engagementWeight > 0 && engagement.length === 0) {
    entries.push({ path: 'engagement', message: 'needs a criterion, or engagementWeight 0' });
  }
  return entries;
}

/** Something the lead did: an activity's type and UTC instant. */
export interface Engagement {
  activityType: string;
  happenedAt: string | Date;
}

/** One line of the explanation: `value` = points × weight in hundredths; the values of a score add up to it. */
export interface Contribution {
  criterion: string;
  kind: 'fit' | 'engagement' | 'limit' | 'rounding';
  points: number;
  weight: number;
  value: number;
  reason: string;
}

const dayMs = 86_400_000;
// Adding 0 makes a negative zero a plain one.
const hundredths = (value: number) => Math.round(value * 100) / 100 + 0;
const daysBetween = (from: string | Date, to: string | Date) => Math.max(0, (+new Date(to) - +new Date(from)) / dayMs);
const sum = (values: number[]) => hundredths(values.reduce((total, value) => total + value, 0));

/** Brings the values of one kind into 0 … 100 × weight by a line of its own, when they are outside. */
function withinLimits(contributions: Contribution[], kind: 'fit' | 'engagement', weight: number): Contribution[] {
  const total = sum(contributions.map(({ value }) => value));
  const kept = hundredths(Math.min(Math.max(total, 0), maxScore * weight));
  const value = hundredths(kept - total);
  if (value === 0) return contributions;
  const reason = value < 0 ? `${kind} counts at most ${maxScore} points` : `${kind} counts at least 0 points`;
  return [
    ...contributions,
    { criterion: `${kind} limit`, kind: 'limit', points: hundredths(value / weight), weight, value, reason },
  ];
}

function fitOf({ fit, fitWeight }: ScoringModel, facts: LeadFacts): Contribution[] {
  const contributions = fit.map(({ label, when, points }): Contribution => {
    const { matched, reason } = leadConditions.test(when, facts);
    const earned = matched ? points : 0;
    return {
      criterion: label,
      kind: 'fit',
      points: earned,
      weight: fitWeight,
      value: hundredths(earned * fitWeight),
      reason,
    };
  });
  return withinLimits(contributions, 'fit', fitWeight);
}

function engagementOf(model: ScoringModel, engagements: readonly Engagement[], at: string | Date): Contribution[] {
  const contributions = model.engagement.map(({ activityType, points, halfLifeDays }): Contribution => {
    const ages = engagements
      .filter((engagement) => engagement.activityType === activityType)
      .map((engagement) => daysBetween(engagement.happenedAt, at));
    const decayed = ages.reduce((total, age) => total + points * 0.5 ** (age / halfLifeDays), 0);
    return {
      criterion: activityType,
      kind: 'engagement',
      points: hundredths(decayed),
      weight: model.engagementWeight,
      value: hundredths(decayed * model.engagementWeight),
      reason:
        ages.length === 0
          ? 'none so far'
          : `${ages.length} × ${points} points, halved every ${halfLifeDays} days; the latest is ${Math.min(...ages).toFixed(1)} days old`,
    };
  });
  return withinLimits(contributions, 'engagement', model.engagementWeight);
}

function bandOf(score: number, bands: ScoringModel['bands']): ScoreBand {
  if (score >= bands.hot) return 'hot';
  return score >= bands.warm ? 'warm' : 'cold';
}

/**
 * Scores a lead at the instant `at` (DOMAIN process 1): fit and decayed engagement, each limited to 0–100 points,
 * weighted and rounded to a whole 0–100. Deterministic; the contributions' values add up to the score.
 */
export function scoreLead(
  model: ScoringModel,
  facts: LeadFacts,
  engagements: readonly Engagement[],
  at: string | Date,
): { score: number; band: ScoreBand; contributions: Contribution[] } {
  const contributions = [...fitOf(model, facts), ...engagementOf(model, engagements, at)];
  const exact = sum(contributions.map(({ value }) => value));
  const rounded = Math.min(maxScore, Math.round(exact));
  const value = hundredths(rounded - exact);
  if (value !== 0) {
    const reason = `${exact} is rounded to the whole number ${rounded}`;
    contributions.push({ criterion: 'rounding', kind: 'rounding', points: value, weight: 1, value, reason });
  }
  return { score: rounded, band: bandOf(rounded, model.bands), contributions };
}
