import {
  type CountryCode,
  isSupportedCountry,
  parsePhoneNumberFromString,
  type PhoneNumber,
} from 'libphonenumber-js/max';
import { singleSpaced, trimmed } from '../processes/text.ts';
import type { CaptureBody, Consent } from './capture.ts';
import { companyNameKey, personNameKey } from './name-keys.ts';

/** What a capture becomes: one spelling for each thing, `null` for what the form did not know. */
export interface NormalisedIntake {
  fullName: string;
  firstName: string | null;
  lastName: string | null;
  /** Comparison key of the full name: folded, no accents. */
  normalizedName: string;
  /** Lower case, domain in ASCII. */
  email: string | null;
  /** E.164. */
  phone: string | null;
  company: string | null;
  /** Comparison key of the company: folded, without legal form. */
  normalizedCompany: string | null;
  source: string | null;
  sourceRef: string | null;
  /** ISO 3166-1 alpha-2. */
  country: string | null;
  budgetBand: string | null;
  urgency: CaptureBody['urgency'] | null;
  message: string | null;
  consent: Consent | null;
  utm: CaptureBody['utm'] | null;
  externalRefs: NonNullable<CaptureBody['externalRefs']>;
}

/** One change that normalisation made, kept for the explanation. */
export interface NormalisationStep {
  field: string;
  from: string;
  to: string;
  rule: string;
}

export interface Normalisation {
  intake: NormalisedIntake;
  steps: NormalisationStep[];
  /** What no rule could mend; the capture is refused with it. */
  errors: { path: string; message: string }[];
}

// Hostnames as DNS takes them (RFC 1035 §2.3.4), after the domain was written in ASCII.
const hostname = /^(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])$/;
const localPartLength = 64;

/** E-mail in lower case with its domain in ASCII (IDNA), or null when no mail server could be meant by it. */
export function normaliseEmail(text: string): string | null {
  const address = trimmed(text).toLowerCase();
  const at = address.lastIndexOf('@');
  const domain = asciiDomain(address.slice(at + 1));
  return at > 0 && at <= localPartLength && hostname.test(domain) ? `${address.slice(0, at)}@${domain}` : null;
}

function asciiDomain(domain: string): string {
  const url = `http://${domain}/`;
  return URL.canParse(url) ? new URL(url).hostname : '';
}

// Shorter national numbers are emergency and service numbers, or the local half of a number.
const shortestNationalNumber = 7;

/**
 * Phone in E.164 with the region that made sense of it, trying `regions` in order; null when it parses in none.
 * A number of the right length in a range that is not (yet) in use is taken when nothing better is found.
 */
export function normalisePhone(text: string, regions: readonly string[]): { phone: string; region: string } | null {
  const readings = regions
    .filter((region): region is CountryCode => isSupportedCountry(region))
    .flatMap((region) => parsePhoneNumberFromString(text, { defaultCountry: region, extract: false }) ?? []);
  const plausible = (reading: PhoneNumber) =>
    reading.isPossible() && reading.nationalNumber.length >= shortestNationalNumber;
  const reading = readings.find((candidate) => candidate.isValid()) ?? readings.find(plausible);
  return reading ? { phone: reading.number, region: reading.country ?? `+${reading.countryCallingCode}` } : null;
}

/** Whether a number in E.164 has a country and a length that there are. */
export const isPhoneNumber = (e164: string): boolean => parsePhoneNumberFromString(e164)?.isPossible() === true;

// Words that belong to the family name they precede: "Ludwig van Beethoven", "María de la Cruz".
const particles = new Set(
  'af al am auf av bin da dal das de degli del della den der di dos du el la le los ten ter van vom von y zu zum zur'.split(
    ' ',
  ),
);

/** First and last name of a full name; a single word is a last name, "Lovelace, Ada" is read the other way round. */
export function splitName(fullName: string): { firstName: string | null; lastName: string } {
  const inverted = /^([^,]+),\s*([^,]+)$/u.exec(fullName);
  if (inverted?.[1] && inverted[2]) return { firstName: inverted[2], lastName: inverted[1] };
  const words = fullName.split(' ');
  let start = words.length - 1;
  while (start > 1 && particles.has((words[start - 1] ?? '').toLowerCase())) start--;
  return { firstName: words.slice(0, start).join(' ') || null, lastName: words.slice(start).join(' ') };
}

/**
 * One spelling for everything a capture holds (DOMAIN process 1): Unicode NFC and single blanks, mail in lower case,
 * phone in E.164 by the capture's country or else the organisation's `defaultRegion` (ISO 3166-1 alpha-2).
 */
export function normaliseIntake(body: CaptureBody, { defaultRegion }: { defaultRegion: string }): Normalisation {
  const steps: NormalisationStep[] = [];
  const errors: Normalisation['errors'] = [];

  function noted(field: string, from: string, to: string, rule: string): string {
    if (from !== to) steps.push({ field, from, to, rule });
    return to;
  }

  function tidy(field: string, text: string | undefined): string | null {
    return text === undefined
      ? null
      : noted(field, text, singleSpaced(text.normalize('NFC')), 'trimmed, Unicode NFC, single blanks');
  }

  function email(text: string | undefined): string | null {
    if (text === undefined) return null;
    const address = normaliseEmail(text);
    if (address) return noted('email', text, address, 'trimmed, lower case, domain in ASCII');
    errors.push({
      path: 'email',
      message: 'must be an e-mail address whose domain can exist, such as ada@example.com',
    });
    return null;
  }

  function phone(text: string | undefined): string | null {
    if (text === undefined) return null;
    const regions = [...new Set([body.country, defaultRegion].filter((region) => region !== undefined))];
    const parsed = normalisePhone(text, regions);
    if (parsed) return noted('phone', text, parsed.phone, `E.164, read as a number of ${parsed.region}`);
    errors.push({
      path: 'phone',
      message: `is no phone number in ${regions.join(' or ')}; write it with its country code, such as +49 30 901820`,
    });
    return null;
  }

  function name(): Pick<NormalisedIntake, 'fullName' | 'firstName' | 'lastName'> {
    const given = { firstName: tidy('firstName', body.firstName), lastName: tidy('lastName', body.lastName) };
    const fullName = tidy('fullName', body.fullName);
    if (fullName === null) {
      const joined = [given.firstName, given.lastName].filter((part) => part !== null).join(' ');
      steps.push({ field: 'fullName', from: '', to: joined, rule: 'joined from first and last name' });
      return { fullName: joined, ...given };
    }
    if (given.firstName !== null || given.lastName !== null) return { fullName, ...given };
    const split = splitName(fullName);
    const inOrder = [split.firstName, split.lastName].filter((part) => part !== null).join(' ');
    const parts = [split.firstName ?? '–', split.lastName].join(' | ');
    steps.push({ field: 'fullName', from: fullName, to: parts, rule: 'split into first and last name' });
    return { fullName: noted('fullName', fullName, inOrder, 'first name before last name'), ...split };
  }

  const named = name();
  const company = tidy('company', body.company);
  const intake: NormalisedIntake = {
    ...named,
    normalizedName: personNameKey(named.fullName),
    email: email(body.email),
    phone: phone(body.phone),
    company,
    normalizedCompany: company === null ? null : companyNameKey(company),
    source: tidy('source', body.source),
    sourceRef: tidy('sourceRef', body.sourceRef),
    country: body.country ?? null,
    budgetBand: tidy('budgetBand', body.budgetBand),
    urgency: body.urgency ?? null,
    message: body.message === undefined ? null : trimmed(body.message.normalize('NFC').replace(/\r\n?/g, '\n')),
    consent: typeof body.consent === 'boolean' ? { marketing: body.consent } : (body.consent ?? null),
    utm: body.utm ?? null,
    externalRefs: uniqueRefs(body.externalRefs ?? []),
  };
  return { intake, steps, errors };
}

function uniqueRefs(refs: NormalisedIntake['externalRefs']): NormalisedIntake['externalRefs'] {
  const trimmedRefs = refs.map((ref) => ({ system: singleSpaced(ref.system), externalId: trimmed(ref.externalId) }));
  return [...new Map(trimmedRefs.map((ref) => [JSON.stringify([ref.system, ref.externalId]), ref])).values()];
}
