import { z } from 'zod';
import { line, prose } from '../processes/text.ts';
import { emailAsWritten } from '../text/email-address.ts';
import { countryCodes } from './countries.ts';

/** How pressing the wish is, in the words of the person who wrote. */
export const urgencies = ['low', 'medium', 'high'] as const;

/** Says what an object must be, and leaves Zod's own list of unknown keys as it is. */
const mustBe = (words: string) => ({
  error: (issue: { code?: string }) => (issue.code === 'unrecognized_keys' ? undefined : `must be ${words}`),
});

const agreed = z.boolean({ error: 'must be true or false' }).optional();

/** What a person agreed to, channel by channel, with the wording that was shown and the instant of the click. */
export const consentSchema = z.strictObject({
  marketing: agreed,
  email: agreed,
  phone: agreed,
  sms: agreed,
  text: prose(2000, 'I agree to receive the newsletter.').optional(),
  givenAt: z.iso.datetime({ offset: true, error: 'must be an instant such as 2026-11-21T09:30:00Z' }).optional(),
});

export type Consent = z.output<typeof consentSchema>;

/** The campaign parameters of the page's address (`utm_source` and its four companions). */
export const utmSchema = z.strictObject(
  {
    source: line(200, 'newsletter').optional(),
    medium: line(200, 'email').optional(),
    campaign: line(200, 'autumn-2026').optional(),
    term: line(200, 'crm').optional(),
    content: line(200, 'header-link').optional(),
  },
  mustBe('an object of source, medium, campaign, term and content'),
);

/** The same person or enquiry in another product. */
const externalRefSchema = z.strictObject(
  { system: line(60, 'cms'), externalId: line(200, 'submission-4711') },
  mustBe('an object of system and externalId'),
);

/**
 * Body of `POST /v1/leads/capture` (spec/4, DOMAIN process 1): what a website form knows of a person who asks.
 * Needed are a name (`fullName`, or `firstName` and/or `lastName`) and at least one of `email` and `phone`.
 * `consent: true` is the one checkbox of a simple form and means marketing; an object tells the channels apart.
 */
export const captureBody = z
  .strictObject(
    {
      fullName: line(200, 'Ada Lovelace').optional(),
      firstName: line(80, 'Ada').optional(),
      lastName: line(80, 'Lovelace').optional(),
      email: emailAsWritten().optional(),
      phone: line(40, '+49 30 901820').optional(),
      company: line(200, 'Analytical Engines Ltd').optional(),
      source: line(100, 'website').optional(),
      sourceRef: line(200, 'contact-form/4711').optional(),
      country: z
        .enum(countryCodes, { error: 'must be a country code of two capital letters such as DE (ISO 3166-1 alpha-2)' })
        .optional(),
      budgetBand: line(60, '10k-50k').optional(),
      urgency: z.enum(urgencies, { error: `must be one of ${urgencies.join(', ')}` }).optional(),
      message: prose(5000, 'We would like to see a demonstration.').optional(),
      consent: z
        .union([z.boolean(), consentSchema], {
          error:
            'must be true, false, or an object of marketing, email, phone and sms (true or false), text and givenAt',
        })
        .optional(),
      utm: utmSchema.optional(),
      externalRefs: z
        .array(externalRefSchema, { error: 'must be a list of {system, externalId}' })
        .max(20, { error: 'must hold at most 20 references' })
        .optional(),
    },
    mustBe('a JSON object'),
  )
  .refine((body) => body.email !== undefined || body.phone !== undefined, {
    path: ['email'],
    error: 'is missing, and so is phone: send at least one of the two, so that the person can be reached',
  })
  .refine((body) => body.fullName !== undefined || body.firstName !== undefined || body.lastName !== undefined, {
    path: ['fullName'],
    error: 'is missing: send fullName, or firstName and lastName',
  })
  .meta({
    allOf: [
      { anyOf: [{ required: ['email'] }, { required: ['phone'] }] },
      { anyOf: [{ required: ['fullName'] }, { required: ['firstName'] }, { required: ['lastName'] }] },
    ],
  });

export type CaptureBody = z.output<typeof captureBody>;
