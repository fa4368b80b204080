import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { z } from 'zod';
import { leadFacts } from '../../../workflows/leads/facts.ts';
import {
  type Engagement,
  engagementTypes,
  scoreLead,
  type ScoringModel,
  scoringModelColumns,
  scoringModelRules,
} from '../../../workflows/leads/scoring.ts';

const at = '2026-11-21T12:00:00.000Z';
const facts = leadFacts(
  {
    source: 'website',
    country: 'DE',
    budgetBand: null,
    urgency: 'high',
    company: 'Acme',
    email: 'ada@gmail.com',
    phone: null,
    consent: null,
    utm: null,
  },
  { emailStatus: 'accepts', ageDays: 0, engagementCount: 0 },
);

const model: ScoringModel = {
  fitWeight: 0.6,
  engagementWeight: 0.4,
  fit: [
    { label: 'In our market', when: 'country in ["DE", "AT"]', points: 50 },
    { label: 'Urgent', when: 'urgency == "high"', points: 35 },
    { label: 'Private mail', when: 'freeMail', points: -10 },
    { label: 'Enterprise', when: 'segment == "enterprise"', points: 40 },
  ],
  engagement: [
    { activityType: 'meeting', points: 40, halfLifeDays: 14 },
    { activityType: 'email', points: 10, halfLifeDays: 7 },
  ],
  bands: { warm: 40, hot: 70 },
};

const total = (contributions: { value: number }[]) =>
  Math.round(contributions.reduce((sum, { value }) => sum + value, 0) * 100) / 100;

const daysAgo = (days: number) => new Date(Date.parse(at) - days * 86_400_000).toISOString();

describe('a score', () => {
  it('adds up fit and decayed engagement, each explained', () => {
    const engagements = [
      { activityType: 'meeting', happenedAt: daysAgo(14) },
      { activityType: 'email', happenedAt: daysAgo(0) },
      { activityType: 'note', happenedAt: daysAgo(1) },
    ];
    const { score, band, contributions } = scoreLead(model, facts, engagements, at);
    expect(contributions).toEqual([
      expect.objectContaining({ criterion: 'In our market', kind: 'fit', points: 50, weight: 0.6, value: 30 }),
      expect.objectContaining({ criterion: 'Urgent', value: 21, reason: 'the condition holds (urgency = "high")' }),
      expect.objectContaining({ criterion: 'Private mail', points: -10, value: -6 }),
      expect.objectContaining({ criterion: 'Enterprise', points: 0, value: 0 }),
      expect.objectContaining({ criterion: 'meeting', kind: 'engagement', points: 20, weight: 0.4, value: 8 }),
      expect.objectContaining({ criterion: 'email', points: 10, value: 4 }),
    ]);
    expect([score, band]).toEqual([57, 'warm']);
  });

  it('explains its limits and its rounding', () => {
    const eager = Array.from({ length: 9 }, () => ({ activityType: 'meeting', happenedAt: daysAgo(0) }));
    const full = scoreLead(model, { ...facts, segment: 'enterprise' }, eager, at);
    expect(full).toMatchObject({ score: 100, band: 'hot' });
    expect(full.contributions.filter(({ kind }) => kind === 'limit').map(({ value }) => value)).toEqual([-9, -104]);
    const rounded = scoreLead(model, facts, [{ activityType: 'email', happenedAt: daysAgo(3) }], at);
    expect(rounded.contributions.at(-1)).toMatchObject({
      kind: 'rounding',
      reason: '47.97 is rounded to the whole number 48',
    });
    expect(scoreLead({ ...model, fit: [{ label: 'x', when: 'true', points: -5 }] }, facts, [], at)).toMatchObject({
      score: 0,
      band: 'cold',
    });
  });

  it('counts a condition that cannot be evaluated as not met', () => {
    const broken = { ...model, fit: [{ label: 'Broken', when: '1 / score > 0', points: 100 }] };
    const [contribution] = scoreLead(broken, facts, [], at).contributions;
    expect(contribution).toMatchObject({ points: 0, reason: expect.stringContaining('could not be evaluated') });
  });

  const models = fc
    .record({
      weight: fc.double({ min: 0, max: 1, noNaN: true }),
      points: fc.array(fc.integer({ min: -100, max: 100 }), { maxLength: 8 }),
      engagement: fc.array(
        fc.record({
          points: fc.integer({ min: 1, max: 100 }),
          halfLifeDays: fc.double({ min: 0.1, max: 400, noNaN: true }),
        }),
        { maxLength: 4 },
      ),
    })
    .map(({ weight, points, engagement }): ScoringModel => ({
      fitWeight: weight,
      engagementWeight: 1 - weight,
      fit: points.map((value, i) => ({ label: `c${i}`, when: i % 3 === 2 ? 'hasPhone' : 'true', points: value })),
      engagement: engagement.flatMap((criterion, i) =>
        engagementTypes.slice(i, i + 1).map((activityType) => ({ activityType, ...criterion })),
      ),
      bands: { warm: 30, hot: 60 },
    }));
  const engagements = fc.array(
    fc.record({
      activityType: fc.constantFrom(...engagementTypes),
      happenedAt: fc.integer({ min: -5, max: 500 }).map(daysAgo),
    }),
    { maxLength: 20 },
  );

  it('is a whole number from 0 to 100 that its contributions add up to', () => {
    fc.assert(
      fc.property(models, engagements, (any, done) => {
        const { score, contributions } = scoreLead(any, facts, done, at);
        expect(Number.isInteger(score) && score >= 0 && score <= 100).toBe(true);
        expect(total(contributions)).toBeCloseTo(score, 5);
        expect(scoreLead(any, facts, done, at)).toEqual({ score, band: expect.any(String), contributions });
      }),
    );
  });

  it('never grows by waiting, nor shrinks by an activity', () => {
    const later = fc.integer({ min: 0, max: 1000 });
    const one = fc.record({
      activityType: fc.constantFrom(...engagementTypes.slice(0, 2)),
      happenedAt: fc.constant(at),
    });
    fc.assert(
      fc.property(models, engagements, later, one, (any, done: Engagement[], days, another) => {
        const now = scoreLead(any, facts, done, at).score;
        expect(scoreLead(any, facts, done, daysAgo(-days)).score).toBeLessThanOrEqual(now);
        expect(scoreLead(any, facts, [...done, another], at).score).toBeGreaterThanOrEqual(now);
      }),
    );
  });
});

describe('a scoring model', () => {
  const columns = z.strictObject(scoringModelColumns);
  const { fit, engagement, bands } = model;
  const complaints = (changes: object) =>
    columns
      .safeParse({ fit, engagement, bands, ...changes })
      .error?.issues.map(({ path, message }) => `${path.join('.')} ${message}`);

  it('is checked column by column', () => {
    expect(complaints({})).toBeUndefined();
    expect(complaints({ fit: [{ label: 'x', when: 'contry == 1', points: 5 }] })).toEqual([
      expect.stringContaining('fit.0.when "contry" is no fact of a lead; did you mean "country"?'),
    ]);
    expect(complaints({ fit: [fit[0], fit[0]] })).toEqual(['fit must not name a label twice']);
    expect(complaints({ engagement: [engagement[0], engagement[0]] })).toEqual([
      'engagement must not name an activity type twice',
    ]);
    expect(complaints({ bands: { warm: 70, hot: 70 } })).toEqual(['bands.hot must be above warm']);
    expect(complaints({ engagement: [{ ...engagement[0], activityType: 'meetign' }] })).toEqual([
      'engagement.0.activityType must be one of call, email, meeting, note, capture',
    ]);
    expect(complaints({ engagement: [{ activityType: 'call', points: 0, halfLifeDays: 0 }] })).toHaveLength(2);
  });

  it('shares out one whole by its weights', () => {
    expect(scoringModelRules(model)).toEqual([]);
    expect(scoringModelRules({ ...model, fitWeight: 0.7 })).toEqual([
      { path: 'engagementWeight', message: 'and fitWeight must add up to 1, not to 1.1' },
    ]);
    expect(scoringModelRules({ ...model, fit: [], engagement: [] }).map(({ path }) => path)).toEqual([
      'fit',
      'engagement',
    ]);
    expect(scoringModelRules({ ...model, fitWeight: 1, engagementWeight: 0, engagement: [] })).toEqual([]);
  });
});
