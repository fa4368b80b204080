import { z } from 'zod';
import { countryCodes } from '../../workflows/leads/countries.ts';
import { isPhoneNumber } from '../../workflows/leads/normalisation.ts';
import { type Column, text } from './columns.ts';

interface Options {
  nullable?: boolean;
}

/**
 * A mail address as RFC 5321 delivers it, lower case. The pattern is part of the OpenAPI schema, without the format
 * "email": under that name readers judge international domains, each by rules of its own.
 */
export const emailSchema = z
  .string()
  .trim()
  .toLowerCase()
  .max(254)
  .regex(
    /^[a-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*@([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])?$/,
    'is not a mail address',
  )
  .meta({ examples: ['ada@example.com', 'grace@example.com', 'katherine@example.com'] });

/** A phone number in E.164, such as `+4930123456`, of a country and a length that there are. */
export const phoneSchema = z
  .string()
  .regex(/^\+[1-9][0-9]{6,14}$/, 'is not a phone number in E.164, such as +4930123456')
  .refine((number) => isPhoneNumber(number), 'is the number of no country')
  .meta({ examples: ['+4930123456', '+4930123457'] });

/** ISO 3166-1 alpha-2, such as `DE`. */
export const countrySchema = z
  .enum(countryCodes, 'is not a country code such as DE (ISO 3166-1 alpha-2)')
  .meta({ examples: ['DE'] });

/** The domain of mail addresses, lower case, ASCII. */
export const mailDomainSchema = z
  .string()
  .trim()
  .toLowerCase()
  .max(253)
  .regex(
    /^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])$/,
    'is not a domain such as example.com',
  )
  .meta({ examples: ['example.com'] });

/** A name in addresses: lower-case words joined by hyphens, at most `max` characters. */
export const slugSchema = (max: number) =>
  z
    .string()
    .max(max)
    .regex(/^[a-z0-9]+(-[a-z0-9]+)*$/, 'must be lower-case words joined by hyphens, such as reset-your-password')
    .meta({ examples: ['example-page', 'another-page', 'changed-page'] });

const of = <O extends Options>(
  max: number,
  schema: z.ZodType<string>,
  options?: O,
): Column<O extends { nullable: true } ? string | null : string> =>
  ({
    ...text(max, options),
    schema,
  }) as Column<O extends { nullable: true } ? string | null : string>;

export const email = <O extends Options>(options?: O) => of(254, emailSchema, options);
export const phone = <O extends Options>(options?: O) => of(16, phoneSchema, options);
export const country = <O extends Options>(options?: O) => of(2, countrySchema, options);
export const mailDomain = <O extends Options>(options?: O) => of(253, mailDomainSchema, options);
export const webAddress = <O extends Options>(options?: O) =>
  of(500, z.url({ protocol: /^https?$/ }).max(500), options);
