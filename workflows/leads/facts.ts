import type { FactTypes } from '../conditions/conditions.ts';
import type { NormalisedIntake } from './normalisation.ts';

/** What the MX look-up says of a mail domain: it marks a lead, it never refuses one. */
export const emailStatuses = ['accepts', 'rejects', 'unknown'] as const;
export type EmailStatus = (typeof emailStatuses)[number];

/** What conditions and scoring see of a lead: flat, never null (`''`, `0` and `false` stand for the unknown). */
export type LeadFacts = Readonly<{
  source: string;
  /** ISO 3166-1 alpha-2: the territory. */
  country: string;
  budgetBand: string;
  /** low, medium or high. */
  urgency: string;
  company: string;
  /** Of the matched account: segment, industry, type. */
  segment: string;
  industry: string;
  accountType: string;
  emailDomain: string;
  /** The address is with a provider for private people. */
  freeMail: boolean;
  emailStatus: EmailStatus;
  hasEmail: boolean;
  hasPhone: boolean;
  /** Agreed to marketing. */
  consent: boolean;
  utmSource: string;
  utmMedium: string;
  utmCampaign: string;
  utmTerm: string;
  utmContent: string;
  /** 0 to 100; 0 until scored. */
  score: number;
  /** cold, warm or hot; empty until scored. */
  band: string;
  /** Whole days since capture. */
  ageDays: number;
  engagementCount: number;
}>;

/** The CEL type of each fact; a condition is checked against these. */
export const factTypes = {
  source: 'string',
  country: 'string',
  budgetBand: 'string',
  urgency: 'string',
  company: 'string',
  segment: 'string',
  industry: 'string',
  accountType: 'string',
  emailDomain: 'string',
  freeMail: 'bool',
  emailStatus: 'string',
  hasEmail: 'bool',
  hasPhone: 'bool',
  consent: 'bool',
  utmSource: 'string',
  utmMedium: 'string',
  utmCampaign: 'string',
  utmTerm: 'string',
  utmContent: 'string',
  score: 'int',
  band: 'string',
  ageDays: 'int',
  engagementCount: 'int',
} as const satisfies FactTypes<LeadFacts>;

const freeMailDomains = new Set(
  (
    'aol.com fastmail.com free.fr freenet.de gmail.com gmx.at gmx.ch gmx.com gmx.de gmx.net googlemail.com hotmail.co.uk ' +
    'hotmail.com hotmail.de hotmail.fr hotmail.it icloud.com laposte.net libero.it live.com mac.com mail.com mail.ru me.com ' +
    'msn.com naver.com orange.fr outlook.com outlook.de pm.me proton.me protonmail.com qq.com rediffmail.com sfr.fr ' +
    't-online.de tuta.com tutanota.com wanadoo.fr web.de yahoo.co.in yahoo.co.uk yahoo.com yahoo.de yahoo.fr yandex.com ' +
    'yandex.ru ymail.com zoho.com 126.com 163.com'
  ).split(' '),
);

/** The part of an address after its last `@`; empty without one. */
export function emailDomain(email: string | null): string {
  return email === null ? '' : email.slice(email.lastIndexOf('@') + 1);
}

/** Whether a mail domain belongs to a provider for private people rather than to a company. */
export function isFreeMail(domain: string): boolean {
  return freeMailDomains.has(domain);
}

/** The part of a lead that facts are made of; a normalised intake is one, so is a stored lead with its person. */
export type FactSource = Pick<
  NormalisedIntake,
  'source' | 'country' | 'budgetBand' | 'urgency' | 'company' | 'email' | 'phone' | 'consent' | 'utm'
>;

/** What is known of a lead beyond its own fields; `account` is the one matched by company or domain. */
export interface FactContext {
  account?: { segment: string | null; industry: string | null; accountType: string | null } | null;
  emailStatus: EmailStatus;
  score?: number | null;
  band?: string | null;
  ageDays: number;
  engagementCount: number;
}

/** The facts of one lead at one moment. */
export function leadFacts(lead: FactSource, context: FactContext): LeadFacts {
  const domain = emailDomain(lead.email);
  return {
    source: lead.source ?? '',
    country: lead.country ?? '',
    budgetBand: lead.budgetBand ?? '',
    urgency: lead.urgency ?? '',
    company: lead.company ?? '',
    segment: context.account?.segment ?? '',
    industry: context.account?.industry ?? '',
    accountType: context.account?.accountType ?? '',
    emailDomain: domain,
    freeMail: isFreeMail(domain),
    emailStatus: context.emailStatus,
    hasEmail: lead.email !== null,
    hasPhone: lead.phone !== null,
    consent: lead.consent?.marketing === true,
    utmSource: lead.utm?.source ?? '',
    utmMedium: lead.utm?.medium ?? '',
    utmCampaign: lead.utm?.campaign ?? '',
    utmTerm: lead.utm?.term ?? '',
    utmContent: lead.utm?.content ?? '',
    score: context.score ?? 0,
    band: context.band ?? '',
    ageDays: context.ageDays,
    engagementCount: context.engagementCount,
  };
}
