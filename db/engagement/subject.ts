import { z } from 'zod';
import { recordId } from '../../workflows/processes/record-id.ts';
import { choice, identifier } from '../model/columns.ts';

/** Kinds of records that activities, notes, tags and the timeline can hang on. */
export const subjectTypes = [
  'lead',
  'person',
  'account',
  'contact',
  'task',
  'activity',
  'ticket',
  'article',
  'calendar',
  'user',
  'team',
  'organization',
] as const;
export type SubjectType = (typeof subjectTypes)[number];

/** The record that a row is about. Checked for visibility when written; no foreign key, since the kinds are several. */
export const subject = () => ({
  subjectType: { ...choice(subjectTypes), schema: z.enum(subjectTypes).meta({ examples: ['account'] }) },
  subjectId: { ...identifier(), schema: recordId('Account') },
});
