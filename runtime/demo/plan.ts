import type { z } from 'zod';
import type { Role } from '../../workflows/access/permissions.ts';
import type { Calendar } from '../../workflows/calendars/calendar.ts';
import type { AssignmentStrategy } from '../../workflows/assignment/rules.ts';
import type { CaptureBody } from '../../workflows/leads/capture.ts';
import type { ScoringModel } from '../../workflows/leads/scoring.ts';
import type { TouchLadder } from '../../workflows/leads/touch-ladder.ts';
import type { createTicketBody } from '../../workflows/tickets/create.ts';
import type { EscalationRung, Targets } from '../../workflows/tickets/terms.ts';

/** A user; the mail address is `{login}@{slug}.example`. */
export interface PersonPlan {
  login: string;
  fullName: string;
  role: Role;
  /** Most open leads at once. */
  capacity?: number;
  /** Most open tickets at once. */
  ticketCapacity?: number;
  /** Share in weighted assignment; 1 if left out. */
  weight?: number;
  skills?: string[];
  /** Works around the clock instead of business hours. */
  roundTheClock?: boolean;
}

/** A team; people are named by login, members in the order of their turns. */
export interface TeamPlan {
  name: string;
  manager: string;
  members: string[];
  fallback?: string;
}

export interface RulePlan {
  name: string;
  /** CEL over the facts of a lead. */
  when: string;
  team: string;
  strategy: AssignmentStrategy;
  ladder?: TouchLadder;
}

/** What support promises to tickets of a kind: `when` is CEL over the facts of a ticket. */
export interface SlaPolicyPlan {
  name: string;
  when: string;
  /** Whether its minutes are those of the business hours; else they pass around the clock. */
  inBusinessHours: boolean;
  targets: Targets;
  escalation?: EscalationRung[];
}

/** Which team gets tickets of a kind: `when` is CEL over the facts of a ticket. */
export type RoutingRulePlan = Omit<RulePlan, 'ladder'>;

/** A page of the knowledge base, in Markdown. */
export interface ArticlePlan {
  title: string;
  slug: string;
  summary: string;
  body: string;
  category: string;
  labels: string[];
}

/** Who answers tickets, by what promises. Policies and rules are asked in this order. */
export interface SupportPlan {
  people: PersonPlan[];
  teams: TeamPlan[];
  policies: SlaPolicyPlan[];
  rules: RoutingRulePlan[];
  articles: ArticlePlan[];
}

export interface AccountPlan {
  accountName: string;
  accountType: string;
  segment: string;
  industry: string;
  domain: string;
  owner: string;
}

/** What a demo organisation is made of. Rules are asked in this order. */
export interface OrganizationPlan {
  slug: string;
  name: string;
  /** ISO 3166-1 alpha-2. */
  region: string;
  businessHours: Calendar;
  /** Full name of the user `admin`. */
  administrator: string;
  people: PersonPlan[];
  teams: TeamPlan[];
  scoringModel: ScoringModel & { name: string };
  rules: RulePlan[];
  accounts: AccountPlan[];
  /** People outside whom it knows. */
  customers: { fullName: string; primaryEmail: string }[];
  tags: { name: string; colour: string }[];
  /** What has come in before anybody looks: captures of leads, and tickets. */
  captures: CaptureBody[];
  tickets: z.input<typeof createTicketBody>[];
  /** Login of the user who gets a lead that nobody has room for. */
  fallback: string;
  support: SupportPlan;
}

/** Room of one sales rep: the smaller team alone holds thousands of open leads, the larger one more than 5,000. */
export const repCapacity = 1_500;
