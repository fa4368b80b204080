import type { EntityManager } from '@mikro-orm/postgresql';
import { type EmailStatus, emailDomain, isFreeMail } from '../../workflows/leads/facts.ts';
import { leadProcess } from '../../workflows/leads/messages.ts';
import type { NormalisationStep, NormalisedIntake } from '../../workflows/leads/normalisation.ts';
import type { TouchLadder } from '../../workflows/leads/touch-ladder.ts';
import type { ScoringModel } from '../../workflows/leads/scoring.ts';
import type { Actor } from '../access/actor.ts';
import { isSuspended } from '../access/membership.queries.ts';
import { type Database, inOrganization } from '../database.ts';
import { executePrepared } from '../model/prepared.ts';
import { contactLockKey } from './contact-locks.queries.ts';
import { candidateParameters, candidatesSql, type DuplicateCandidate } from './duplicates.queries.ts';

/** A capture as the ledger keeps it: the normalised form, and what normalisation did to it. */
export interface StoredIntake {
  intake: NormalisedIntake;
  steps: NormalisationStep[];
}

/** The command that started a lead's process. */
export interface Capture extends StoredIntake {
  commandId: string;
  organizationId: string;
  leadId: string;
  actor: Actor;
  receivedAt: Date;
}

/** The person that the same mail, or the same phone and name, belong to already. */
export interface KnownPerson {
  id: string;
  fullName: string;
  primaryEmail: string | null;
  primaryPhone: string | null;
  emailStatus: EmailStatus;
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
  /** There is a row of this lead: the decision was made before. */
  isDecided: boolean;
  organization: { fallbackUserId: string | null; calendarId: string | null };
  candidates: DuplicateCandidate[];
  person: KnownPerson | null;
  account: KnownAccount | null;
  model: (ScoringModel & { id: string; version: number }) | null;
  rules: StoredRule[];
}

/** How phones of this organisation's forms are read when they name no country; ISO 3166-1 alpha-2. */
export async function readIntakeDefaults(
  database: Database,
  organizationId: string,
): Promise<{ defaultRegion: string }> {
  return inOrganization(database, organizationId, async (em) => {
    const [row]: { default_region: string }[] = await em.execute(
      'select default_region from crm_core.core_organizations where organization_id = ?',
      [organizationId],
    );
    return { defaultRegion: row?.default_region ?? 'DE' };
  });
}

const captureSql = `
  with capture as materialized (
    select command_id, actor, received_at, body from crm_core.crm_commands
    where organization_id = ? and record_id = ? and message = ? order by received_at, command_id limit 1),
  keys as materialized (
    select distinct ${contactLockKey} as key
    from capture, unnest(array[body #>> '{intake,email}', body #>> '{intake,phone}']) as contact
    where contact is not null order by key),
  locks as materialized (select pg_advisory_xact_lock(key)::text as held from keys)
  select capture.*, (select count(held) from locks) as held from capture`;

interface CaptureRow {
  command_id: string;
  actor: Actor;
  received_at: Date | string;
  body: StoredIntake | null;
}

/**
 * The capture of a lead, with intakes of the same person serialised until the transaction ends: advisory locks on mail
 * and phone, in sorted order so that two intakes never wait for each other. Read what they protect in a later
 * statement. Null when the ledger knows no capture, or has forgotten its body.
 */
export async function lockCapture(em: EntityManager, organizationId: string, leadId: string): Promise<Capture | null> {
  const [row] = await executePrepared<CaptureRow>(em, captureSql, [
    organizationId,
    leadId,
    leadProcess.startUpdate,
    organizationId,
  ]);
  if (!row?.body) return null;
  return {
    ...row.body,
    commandId: row.command_id,
    organizationId,
    leadId,
    actor: row.actor,
    receivedAt: new Date(row.received_at),
  };
}

const contextSql = `
  select
    exists (select from crm_core.crm_leads where organization_id = ? and lead_id = ?) as "isDecided",
    (select jsonb_build_object('calendarId', o.calendar_id, 'fallbackUserId', f.user_id)
       from crm_core.core_organizations o
       left join crm_core.crm_users f
         on f.organization_id = o.organization_id and f.user_id = o.fallback_user_id and f.active and f.deleted_at is null
           and not ${isSuspended('f')}
       where o.organization_id = ?) as organization,
    ${candidatesSql} as candidates,
    (select jsonb_build_object('id', person_id, 'fullName', full_name, 'primaryEmail', primary_email, 'primaryPhone', primary_phone,
              'emailStatus', email_status)
       from crm_core.crm_people
       where organization_id = ? and deleted_at is null
         and (primary_email = ? or (primary_phone = ? and normalized_name = ?))
       order by (primary_email = ?) is true desc, created_at, person_id limit 1) as person,
    (select jsonb_build_object('id', account_id, 'accountName', account_name, 'segment', segment, 'industry', industry,
              'accountType', account_type, 'ownerUserId', owner_user_id)
       from crm_core.crm_accounts
       where organization_id = ? and deleted_at is null and (normalized_name = ? or domain = ?)
       order by (normalized_name = ?) is true desc, created_at, account_id limit 1) as account,
    (select jsonb_build_object('id', scoring_model_id, 'version', version, 'fitWeight', fit_weight,
              'engagementWeight', engagement_weight, 'fit', fit, 'engagement', engagement, 'bands', bands)
       from crm_core.crm_scoring_models where organization_id = ? and active and deleted_at is null
       order by updated_at desc, scoring_model_id desc limit 1) as model,
    (select coalesce(jsonb_agg(jsonb_build_object('id', assignment_rule_id, 'version', version, 'name', name, 'position', position,
              'when', condition, 'teamId', team_id, 'strategy', strategy, 'ladder', ladder) order by position, assignment_rule_id), '[]')
       from crm_core.crm_assignment_rules where organization_id = ? and active and deleted_at is null) as rules`;

/** Reads, in one statement, what the decision needs. `leadId` itself is no candidate. */
export async function readIntakeContext(
  em: EntityManager,
  organizationId: string,
  leadId: string,
  intake: NormalisedIntake,
): Promise<IntakeContext> {
  const { email, phone, normalizedName, normalizedCompany } = intake;
  const domain = emailDomain(email);
  const companyDomain = domain === '' || isFreeMail(domain) ? null : domain;
  const [row] = await executePrepared<IntakeContext>(em, contextSql, [
    organizationId,
    leadId,
    organizationId,
    ...candidateParameters(organizationId, leadId, intake),
    organizationId,
    email,
    phone,
    normalizedName,
    email,
    organizationId,
    normalizedCompany,
    companyDomain,
    normalizedCompany,
    organizationId,
    organizationId,
  ]);
  if (!row) throw new Error('The intake context was empty');
  return row;
}
