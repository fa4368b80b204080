import type { NormalisedIntake } from '../../workflows/leads/normalisation.ts';

/** An open lead that may be about the same person. */
export interface DuplicateCandidate {
  id: string;
  personId: string;
  normalizedName: string | null;
  normalizedCompany: string | null;
  email: string | null;
  phone: string | null;
  /** The lead merged into it whose name, mail and phone these are; null: its own. */
  throughLeadId: string | null;
}

const openLead = `
  select lead_id as id, person_id as "personId", normalized_name as "normalizedName", normalized_company as "normalizedCompany",
         email, phone, created_at as "createdAt", null::uuid as "throughLeadId"
  from crm_core.crm_leads where organization_id = ? and status = 'open' and deleted_at is null and lead_id <> ?`;

const mergedLead = `
  select lead_id, merged_into_lead_id, normalized_name, normalized_company, email, phone, created_at
  from crm_core.crm_leads where organization_id = ? and status = 'merged' and deleted_at is null`;

// An open lead is also known by the mails and phones of all that was merged into it. The newest merges of a mail tell where
// it goes: whatever had it later went there, too. One of them for each lead that they went into is enough.
const survivingLead = `
  with recursive known as (
    select distinct on (merged_into_lead_id) * from (
      (${mergedLead} and email = ? order by created_at desc limit 20)
      union all (${mergedLead} and phone = ? and normalized_name = ? order by created_at desc limit 20)) newest
    order by merged_into_lead_id, created_at desc),
  way as (
    select lead_id as through, merged_into_lead_id as id from known
    union
    select way.through, l.merged_into_lead_id from way join crm_core.crm_leads l on l.lead_id = way.id
    where l.organization_id = ? and l.status = 'merged')
  select l.lead_id, l.person_id, known.normalized_name, known.normalized_company, known.email, known.phone, l.created_at, known.lead_id
  from known join way on way.through = known.lead_id join crm_core.crm_leads l on l.lead_id = way.id
  where l.organization_id = ? and l.status = 'open' and l.deleted_at is null and l.lead_id <> ?`;

/**
 * Candidates as a JSON array, what a lead has itself before what it has through a merged one, then the oldest first. Each
 * way to be a duplicate has its own share: leads of a big company never crowd out the one with the same phone.
 */
export const candidatesSql = `
  (select coalesce(jsonb_agg(to_jsonb(c) - 'createdAt' order by c."throughLeadId" is not null, c."createdAt", c.id), '[]') from (
     (${openLead} and email = ? order by created_at, lead_id limit 20)
     union (${openLead} and phone = ? order by (normalized_name is not distinct from ?) desc, created_at, lead_id limit 20)
     union (${openLead} and normalized_company = ? order by created_at desc, lead_id desc limit 20)
     union (${survivingLead})) c)`;

/** The parameters of `candidatesSql`; the lead itself is no candidate. */
export function candidateParameters(
  organizationId: string,
  leadId: string,
  { email, phone, normalizedName, normalizedCompany }: NormalisedIntake,
): unknown[] {
  const own = [organizationId, leadId];
  const merged = [organizationId, email, organizationId, phone, normalizedName, organizationId];
  return [...own, email, ...own, phone, normalizedName, ...own, normalizedCompany, ...merged, ...own];
}
