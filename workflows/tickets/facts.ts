import { conditionsOver, type FactTypes } from '../conditions/conditions.ts';
import { emailDomain } from '../leads/facts.ts';

/** What conditions see of a ticket: flat, never null (`''` and `[]` stand for the unknown). */
export type TicketFacts = Readonly<{
  /** P1 to P4. */
  priority: string;
  /** email, phone, chat, web or api. */
  channel: string;
  category: string;
  subject: string;
  skills: readonly string[];
  /** Of the account: its name, segment, industry and type. */
  account: string;
  segment: string;
  industry: string;
  accountType: string;
  /** Of the requester's mail address. */
  emailDomain: string;
  /** Of the requester, ISO 3166-1 alpha-2. */
  country: string;
}>;

const factTypes = {
  priority: 'string',
  channel: 'string',
  category: 'string',
  subject: 'string',
  skills: 'list<string>',
  account: 'string',
  segment: 'string',
  industry: 'string',
  accountType: 'string',
  emailDomain: 'string',
  country: 'string',
} as const satisfies FactTypes<TicketFacts>;

/** Properties of a ticket that people change by a plain PATCH, and that are facts or lead to some. */
const patchedFacts: readonly unknown[] = ['subject', 'category', 'skills', 'accountId'];

/** Whether one of these properties of a ticket, `fields` of its event `ticket.updated`, is a fact of it. */
export function isFactChange(fields: unknown): boolean {
  return Array.isArray(fields) && fields.some((field) => patchedFacts.includes(field));
}

/** Conditions over the facts of a ticket: SLA policies and routing rules are written in them. */
export const ticketConditions = conditionsOver<TicketFacts>(
  'ticket',
  factTypes,
  'priority == "P1" && "billing" in skills',
);

/** The part of a stored ticket that facts are made of. */
export interface FactSource {
  priority: string;
  channel: string;
  category: string | null;
  subject: string;
  skills: readonly string[];
}

/** What is known of a ticket beyond its own fields. */
export interface FactContext {
  account: {
    accountName: string;
    segment: string | null;
    industry: string | null;
    accountType: string | null;
  } | null;
  requester: { primaryEmail: string | null; country: string | null };
}

/** The facts of one ticket at one moment. */
export function ticketFacts(ticket: FactSource, { account, requester }: FactContext): TicketFacts {
  return {
    priority: ticket.priority,
    channel: ticket.channel,
    category: ticket.category ?? '',
    subject: ticket.subject,
    skills: ticket.skills,
    account: account?.accountName ?? '',
    segment: account?.segment ?? '',
    industry: account?.industry ?? '',
    accountType: account?.accountType ?? '',
    emailDomain: emailDomain(requester.primaryEmail),
    country: requester.country ?? '',
  };
}
