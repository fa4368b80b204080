import type { Role } from '../../workflows/access/permissions.ts';
import type { Calendar } from '../../workflows/calendars/calendar.ts';
import type { AssignmentStrategy } from '../../workflows/assignment/rules.ts';
import type { ScoringModel } from '../../workflows/leads/scoring.ts';
import type { TouchLadder } from '../../workflows/leads/touch-ladder.ts';

/** A user; the mail address is `{login}@{slug}.example`. */
export interface PersonPlan {
  login: string;
  fullName: string;
  role: Role;
  /** Most open leads at once. */
  capacity?: number;
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
  people: PersonPlan[];
  teams: TeamPlan[];
  scoringModel: ScoringModel & { name: string };
  rules: RulePlan[];
  accounts: AccountPlan[];
  tags: { name: string; colour: string }[];
  /** Login of the user who gets a lead that nobody has room for. */
  fallback: string;
}

/** Room of one sales rep: the smaller team alone holds thousands of open leads, the larger one more than 5,000. */
export const repCapacity = 1_500;
