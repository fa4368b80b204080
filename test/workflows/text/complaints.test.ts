import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { complaint } from '../../../workflows/text/complaints.ts';

const complaintsOf = (schema: z.ZodType, input: unknown) =>
  schema.safeParse(input, { error: complaint }).error?.issues.map(({ message }) => message);

describe('what is wrong with a value', () => {
  it.each<[string, z.ZodType, unknown]>([
    ['is missing', z.object({ name: z.string() }), {}],
    ['must be text', z.string(), 5],
    ['must be a number', z.number(), 'five'],
    ['must be a whole number', z.int(), 1.5],
    ['must be true or false', z.boolean(), 'yes'],
    ['must be a list', z.array(z.int()), {}],
    ['must be an object', z.strictObject({}), []],
    ['must be an object', z.record(z.string(), z.int()), 'text'],
    ['must be bigint', z.bigint(), 1],
    ['must be one of P1, P2', z.enum(['P1', 'P2']), 'P9'],
    ['must be P1', z.literal('P1'), 'P9'],
    ['must be at least 1', z.int().min(1), 0],
    ['must be more than 0', z.number().positive(), 0],
    ['must be at most 9', z.int().max(9), 10],
    ['must be less than 9', z.number().lt(9), 9],
    ['must be a multiple of 5', z.number().multipleOf(5), 7],
    ['must be at least 2 characters long', z.string().min(2), 'a'],
    ['must be at most 2 characters long', z.string().max(2), 'abc'],
    ['must hold at least 1 entry', z.array(z.int()).min(1), []],
    ['must hold at most 2 entries', z.array(z.int()).max(2), [1, 2, 3]],
    ['must be an instant with its offset, such as 2026-11-21T09:30:00Z', z.iso.datetime({ offset: true }), 'today'],
    ['must be a date such as 2026-11-21', z.iso.date(), '21.11.2026'],
    ['must be a UUID', z.uuid(), '7'],
    ['does not have the form asked for', z.string().regex(/^a+$/), 'b'],
    ['does not know colour, weight', z.strictObject({}), { colour: 'blue', weight: 1 }],
    ['has none of the forms asked for', z.union([z.int(), z.boolean()]), 'text'],
  ])('%s', (message, schema, input) => {
    expect(complaintsOf(schema, input)).toEqual([message]);
  });

  it('is said by the schema, where that says something itself', () => {
    expect(complaintsOf(z.int({ error: 'must be a whole number of minutes' }), 'x')).toEqual([
      'must be a whole number of minutes',
    ]);
    expect(
      complaintsOf(
        z.int().refine((value) => value > 3, 'is not enough'),
        1,
      ),
    ).toEqual(['is not enough']);
  });
});
