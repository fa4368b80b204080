import { conditionsOver } from '../conditions/conditions.ts';
import { factTypes, type LeadFacts } from './facts.ts';

/** Conditions over the facts of a lead: assignment rules and scoring models are written in them. */
export const leadConditions = conditionsOver<LeadFacts>('lead', factTypes, 'country == "DE" && score >= 40');
