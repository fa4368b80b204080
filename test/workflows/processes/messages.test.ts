import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import {
  defineProcess,
  describeMessage,
  legalMessages,
  message,
  parsePayload,
  splitPayload,
  stageRefusal,
  travellingSchema,
} from '../../../workflows/processes/messages.ts';
import { processes } from '../../../workflows/processes/registry.ts';
import { line, prose } from '../../../workflows/processes/text.ts';
import { growth, steepest } from '../../support/growth.ts';

const cook = message({
  summary: 'Cooks the dish.',
  payload: z.strictObject({ minutes: z.int().min(1), recipe: prose(200).optional() }),
  kept: ['recipe'],
  permission: 'leads:work',
  stages: ['ordered'],
});
const kitchen = {
  name: 'dish',
  workflowType: 'dishKitchen',
  startUpdate: 'ordered',
  path: 'dishes',
  workflowId: (id: string) => `dish:${id}`,
  stages: ['ordered', 'served'],
  finalStages: ['served'],
  messages: { cook },
  signals: {},
} as const;

describe('a process', () => {
  it('is what it declares', () => {
    const dish = defineProcess(kitchen);
    expect(legalMessages(dish, 'served')).toEqual([]);
    expect(legalMessages(dish, 'ordered')).toEqual([
      {
        name: 'cook',
        summary: 'Cooks the dish.',
        permission: 'leads:work',
        reopens: false,
        schema: expect.objectContaining({
          type: 'object',
          required: ['minutes'],
          additionalProperties: false,
          properties: expect.objectContaining({ recipe: expect.objectContaining({ maxLength: 200 }) }),
        }),
      },
    ]);
    expect(() => describeMessage(dish, 'eat')).toThrow('The process dish has no message "eat".');
  });

  it('cannot contradict itself', () => {
    expect(() => defineProcess({ ...kitchen, signals: { cook } })).toThrow('both a message and an internal signal');
    const { payload, summary, permission } = cook;
    const late = message({ payload, summary, permission, stages: ['served'] });
    expect(() => defineProcess({ ...kitchen, messages: { late } })).toThrow(
      'final stage "served" without reopening it',
    );
    const again = message({ payload, summary, permission, stages: ['served'], reopens: true });
    expect(legalMessages(defineProcess({ ...kitchen, messages: { again } }), 'served')).toMatchObject([
      { reopens: true },
    ]);
  });
});

describe('a payload', () => {
  it('leaves its kept fields behind when it travels', () => {
    const payload = { minutes: 5, recipe: 'Stir.' };
    expect(splitPayload(cook, payload)).toEqual({ travels: { minutes: 5 }, kept: { recipe: 'Stir.' } });
    expect(travellingSchema(cook).safeParse({ minutes: 5 }).success).toBe(true);
    expect(travellingSchema(cook).safeParse(payload).success).toBe(false);
  });

  it('is parsed, or refused with every wrong place', () => {
    expect(parsePayload('cook', cook.payload, { minutes: 5, recipe: ' Stir. ' })).toEqual({
      payload: { minutes: 5, recipe: 'Stir.' },
    });
    expect(parsePayload('cook', cook.payload, undefined)).toMatchObject({
      refusal: { code: 'invalid', errors: [{ path: 'minutes' }] },
    });
    expect(parsePayload('cook', cook.payload, { minutes: 0, salt: true })).toMatchObject({
      refusal: {
        message: expect.stringMatching(/^The payload of cook is not valid\. minutes: .*salt/),
        errors: { length: 2 },
      },
    });
  });

  it('holds text that can be seen and stored, trimmed', () => {
    expect(line(5).safeParse(' Ann ').data).toBe('Ann');
    expect(prose(9).safeParse('\n\u3000A\n\tB\r\n').data).toBe('A\n\tB');
    const invisible = ['', ' ', '\u00a0', '\u200b\u200b', '\ufeff'];
    const unstorable = ['A\u0000', 'A\u0007', 'A\u009f', 'A\ud800', '\udc00A'];
    for (const text of ['Annabel', 'A\nn', ...invisible, ...unstorable])
      expect([text, line(5).safeParse(text).success]).toEqual([text, false]);
    for (const text of ['\n\t', ...invisible, ...unstorable])
      expect([text, prose(9).safeParse(text).success]).toEqual([text, false]);
    expect(line(2).safeParse('😀😀').success).toBe(true);
  });

  it('is not slow to judge text that is nearly all blanks', () => {
    const judged = (size: number) => prose(300_000).safeParse(`a${' '.repeat(size)}b`);
    expect(judged(200_000).success).toBe(true);
    expect(growth(judged, 10_000)).toBeLessThan(steepest);
  });
});

describe('a stage', () => {
  it('refuses what it does not allow, and nothing while it is unknown', () => {
    const dish = defineProcess(kitchen);
    expect(stageRefusal(dish, 'cook', 'ordered')).toBeNull();
    expect(stageRefusal(dish, 'cook', undefined)).toBeNull();
    expect(stageRefusal(dish, 'cook', 'served')).toEqual({
      code: 'illegal_stage',
      message: 'cook is legal while the dish is "ordered"; it is "served".',
      errors: [],
    });
  });
});

it('every payload field that names another record of its process is declared as one that the message changes', () => {
  const naming = processes.flatMap(({ name, messages }) =>
    Object.entries(messages).flatMap(([messageName, { payload, alsoChanges = [] }]) =>
      Object.keys(payload.shape)
        .filter((field) => field.toLowerCase().endsWith(`${name}id`))
        .map((field) => ({ message: `${name}.${messageName}`, field, declared: alsoChanges.includes(field) })),
    ),
  );
  expect(naming).toEqual([
    { message: 'lead.merge', field: 'intoLeadId', declared: true },
    { message: 'ticket.merge', field: 'intoTicketId', declared: true },
  ]);
});
