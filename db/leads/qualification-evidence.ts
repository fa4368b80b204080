import { allow, ofOwnLead } from '../access/access-rules.ts';
import { choice, instant, longText, reference, text } from '../model/columns.ts';
import { resource } from '../model/define-resource.ts';
import { entity } from '../model/entity.ts';
import { Lead } from './lead.ts';

/** Why a lead was found worth a deal: one statement for each of budget, authority, need and timing. */
export const QualificationEvidence = entity('QualificationEvidence', 'crm_qualification_evidence', {
  key: 'qualification_evidence_id',
  columns: {
    leadId: reference(() => Lead),
    criterion: choice(['budget', 'authority', 'need', 'timing']),
    statement: longText(5_000),
    /** Where it can be looked up: a mail, a call, a document. */
    reference: text(500),
    recordedAt: instant(),
  },
  uniques: [['leadId', 'criterion']],
});

export const qualificationEvidence = resource(QualificationEvidence, {
  path: 'qualification-evidence',
  title: 'qualification evidence',
  creatable: [],
  patchable: [],
  filterable: ['leadId', 'criterion'],
  sortable: ['recordedAt', 'createdAt'],
  expandable: { lead: 'leadId' },
  // What people at the customer said, in their names.
  read: allow('leads:read_contact_data', { own: ofOwnLead }),
  write: () => false,
  feature: 'leads',
});
