import type { EntityManager } from '@mikro-orm/postgresql';
import type { NormalisationStep, NormalisedIntake } from '../../workflows/leads/normalisation.ts';
import { emailDomain, isFreeMail } from '../../workflows/leads/facts.ts';
import type { TouchLadder } from '../../workflows/leads/touch-ladder.ts';
import type { ScoringModel } from '../../workflows/leads/scoring.ts';
import { type Database, inOrganization } from '../database.ts';

/** The body of a capture as the ledger keeps it. */
export interface StoredIntake {
  intake: NormalisedIntake;
  steps: NormalisationStep[];
}

/** An open lead that may be about the same person. */
export interface DuplicateCandidate {
  id: string;
  personId: string;
  normalizedName: string | null;
  normalizedCompany: string | null;
  email: string | null;
  phone: string | null;
}

interface KnownAccount {
  id: string;
  accountName: string;
  segment: string | null;
  industry: string | null;
  accountType: string | null;
  ownerUserId: string | null;
}

export interface StoredRule {
  id: string;
  version: number;
  name: string;
  position: number;
  when: string;
  teamId: string;
  strategy: 'round_robin' | 'least_loaded' | 'weighted';
  ladder: TouchLadder | null;
}

/** Everything that the decision on one intake needs to know but the teams' present load. */
export interface IntakeContext {
  organization: { fallbackUserId: string | null; calendarId: string | null };
  candidates: DuplicateCandidate[];
  person: { id: string } | null;
  account: KnownAccount | null;
  model: (ScoringModel & { id: string; version: number }) | null;
  rules: StoredRule[];
}

/** How phones of this organisation's forms are read when they name no country; ISO 3166-1 alpha-2. */
export async function readIntakeDefaults(database: Database, organizationId: string): Promise<{ defaultRegion: string }> {
  return inOrganization(database, organizationId, async (em) => {
    const [row]: { default_region: string }[] = await em.execute('select default_region from crm_core.core_organizations');
    return { defaultRegion: row?.default_region ?? 'DE' };
  });
}

/**
 * Serialises intakes of one person: advisory locks on mail and phone, in sorted order so that two intakes never wait
 * for each other; held until the transaction ends.
 */
export async function lockContactKeys(em: EntityManager, organizationId: string, { email, phone }: Pick<NormalisedIntake, 'email' | 'phone'>): Promise<void> {
  const keys = [email, phone].filter((key) => key !== null).map((key) => `${organizationId}:${key}`);
  await em.execute(
    `select pg_advisory_xact_lock(key) from (select distinct hashtextextended(unnest(?::text[]), 7) as key order by key) keys`,
    [`{${keys.map((key) => JSON.stringify(key)).join(',')}}`],
  );
}

const contextSql = `
  select
    (select jsonb_build_object('fallbackUserId', fallback_user_id, 'calendarId', calendar_id)
       from crm_core.core_organizations where organization_id = ?) as organization,
    (select coalesce(jsonb_agg(to_jsonb(c)), '[]') from (
       select lead_id as id, person_id as "personId", normalized_name as "normalizedName",
              normalized_company as "normalizedCompany", email, phone
       from crm_core.crm_leads
       where organization_id = ? and status = 'open' and deleted_at is null and lead_id <> ?
         and (email = ? or phone = ? or normalized_company = ?)
       order by (email is not distinct from ? or phone is not distinct from ?) desc, created_at, lead_id
       limit 50) c) as candidates,
    (select jsonb_build_object('id', person_id) from crm_core.crm_people
       where organization_id = ? and deleted_at is null
         and (primary_email = ? or (primary_phone = ? and normalized_name = ?))
       order by (primary_email is not distinct from ?) desc, created_at limit 1) as person,
    (select jsonb_build_object('id', account_id, 'accountName', account_name, 'segment', segment, 'industry', industry,
              'accountType', account_type, 'ownerUserId', owner_user_id)
       from crm_core.crm_accounts
       where organization_id = ? and deleted_at is null and (normalized_name = ? or domain = ?)
       order by (normalized_name is not distinct from ?) desc, created_at limit 1) as account,
    (select jsonb_build_object('id', scoring_model_id, 'version', version, 'fitWeight', fit_weight,
              'engagementWeight', engagement_weight, 'fit', fit, 'engagement', engagement, 'bands', bands)
       from crm_core.crm_scoring_models where organization_id = ? and active and deleted_at is null
       order by updated_at desc, scoring_model_id desc limit 1) as model,
    (select coalesce(jsonb_agg(jsonb_build_object('id', assignment_rule_id, 'version', version, 'name', name, 'position', position,
              'when', condition, 'teamId', team_id, 'strategy', strategy, 'ladder', ladder) order by position, assignment_rule_id), '[]')
       from crm_core.crm_assignment_rules where organization_id = ? and active and deleted_at is null) as rules`;

/** Reads, in one statement, what the decision needs. `leadId` itself is no candidate. */
export async function readIntakeContext(em: EntityManager, organizationId: string, leadId: string, intake: NormalisedIntake): Promise<IntakeContext> {
  const { email, phone, normalizedName, normalizedCompany } = intake;
  const domain = emailDomain(email);
  const companyDomain = domain === '' || isFreeMail(domain) ? null : domain;
  const [row]: IntakeContext[] = await em.execute(contextSql, [
    organizationId,
    organizationId, leadId, email, phone, normalizedCompany, email, phone,
    organizationId, email, phone, normalizedName, email,
    organizationId, normalizedCompany, companyDomain, normalizedCompany,
    organizationId,
    organizationId,
  ]);
  if (!row) throw new Error('The intake context was empty');
  return row;
}
