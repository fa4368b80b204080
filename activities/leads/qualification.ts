import type { EntityManager } from '@mikro-orm/postgresql';
import { v7 as uuidv7 } from 'uuid';
import type { LeadRow } from '../../db/leads/lead-state.queries.ts';
import { QualificationEvidence } from '../../db/leads/qualification-evidence.ts';
import { baseColumns, type Change, timelineRow } from '../../db/model/changes.ts';
import { Problem } from '../../db/model/problem.ts';
import type { Insertion } from '../../db/model/set-based.ts';
import { Account } from '../../db/parties/account.ts';
import { Contact } from '../../db/parties/contact.ts';
import { emailDomain, isFreeMail } from '../../workflows/leads/facts.ts';
import type { leadProcess } from '../../workflows/leads/messages.ts';
import { companyNameKey } from '../../workflows/leads/name-keys.ts';
import type { PayloadOf } from '../../workflows/processes/messages.ts';
import { carriedRefs } from './external-refs.ts';
import { keepInTime } from './in-time.ts';
import { saveLead } from './lead-change.ts';

/**
 * Qualifies a lead (DOMAIN, process 2): the evidence is stored, account and contact are matched or made, references to
 * other products go along to the contact; all in the caller's transaction.
 */
export async function qualify(
  em: EntityManager,
  change: Change,
  lead: LeadRow,
  { evidence, accountName }: PayloadOf<typeof leadProcess, 'qualify'>,
): Promise<LeadRow> {
  const inTime = await keepInTime(em, change, lead, 'qualified');
  const account = await matchOrMakeAccount(em, change, { ...lead, ...inTime.values }, accountName);
  const contact = await matchOrMakeContact(em, change, lead.personId, account.id);
  const proofs = Object.entries(evidence).map(([criterion, { statement, reference }]) => ({
    id: uuidv7(),
    ...baseColumns(change),
    leadId: lead.id,
    criterion,
    statement,
    reference,
    recordedAt: change.at,
  }));
  const refs = await carriedRefs(em, change, lead.id, { subjectType: 'contact', subjectId: contact.id });
  const rows = [
    { into: QualificationEvidence, rows: proofs },
    ...account.rows,
    ...contact.rows,
    ...refs,
    ...inTime.rows,
  ];
  const told = {
    kind: 'lead.qualified',
    summary: `qualified${inTime.remark}`,
    details: { accountId: account.id, contactId: contact.id },
  };
  const values = { ...inTime.values, stage: 'qualified' as const, accountId: account.id };
  return saveLead(em, change, lead, values, told, { rows });
}

interface Matched {
  id: string;
  rows: Insertion[];
}

async function matchOrMakeAccount(
  em: EntityManager,
  change: Change,
  lead: LeadRow,
  wanted: string | undefined,
): Promise<Matched> {
  const recognised = wanted === undefined ? await presentAccount(em, lead) : null;
  if (recognised !== null) return { id: recognised, rows: [] };
  const accountName = wanted ?? lead.company;
  if (accountName === null) {
    throw new Problem('rule_violation', 'The lead names no company; see errors.', [
      { path: 'accountName', message: 'is needed, since the lead names no company' },
    ]);
  }
  const normalizedName = companyNameKey(accountName);
  // Two leads of one company qualified at once must not make two accounts.
  await em.execute(`select pg_advisory_xact_lock(hashtextextended('account:' || ? || ?, 7))`, [
    change.organizationId,
    normalizedName,
  ]);
  const [known]: { account_id: string }[] = await em.execute(
    `select account_id from crm_core.crm_accounts
     where organization_id = ? and normalized_name = ? and deleted_at is null`,
    [change.organizationId, normalizedName],
  );
  if (known) return { id: known.account_id, rows: [] };
  const id = uuidv7();
  const domain = emailDomain(lead.email);
  const own = {
    accountName,
    normalizedName,
    parentAccountId: null,
    accountType: 'prospect',
    industry: null,
    segment: null,
    domain: domain === '' || isFreeMail(domain) ? null : domain,
    locationRef: null,
    ownerUserId: lead.assignedUserId,
    metadataJson: null,
  };
  const made = { ...change, subjectType: 'account', subjectId: id };
  return {
    id,
    rows: [
      { into: Account, rows: [{ id, ...baseColumns(change), ...own }] },
      timelineRow(made, 'account.created', 'made by the qualification of a lead', { leadId: lead.id }),
    ],
  };
}

/** The account that the capture recognised, unless it was removed since. */
async function presentAccount(em: EntityManager, { organizationId, accountId }: LeadRow): Promise<string | null> {
  const [known]: { account_id: string }[] = await em.execute(
    'select account_id from crm_core.crm_accounts where organization_id = ? and account_id = ? and deleted_at is null',
    [organizationId, accountId],
  );
  return known?.account_id ?? null;
}

async function matchOrMakeContact(
  em: EntityManager,
  change: Change,
  personId: string,
  accountId: string,
): Promise<Matched> {
  const [known]: { contact_id: string }[] = await em.execute(
    `select contact_id from crm_core.crm_contacts
     where organization_id = ? and person_id = ? and account_id = ? and deleted_at is null`,
    [change.organizationId, personId, accountId],
  );
  if (known) return { id: known.contact_id, rows: [] };
  const id = uuidv7();
  const own = { personId, accountId, title: null, role: null, primary: false, lifecycle: 'qualified' };
  const made = { ...change, subjectType: 'contact', subjectId: id };
  return {
    id,
    rows: [
      { into: Contact, rows: [{ id, ...baseColumns(change), ...own }] },
      timelineRow(made, 'contact.created', 'made by the qualification of a lead'),
    ],
  };
}
