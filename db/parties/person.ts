import { emailStatuses } from '../../workflows/leads/facts.ts';
import { personNameKey } from '../../workflows/leads/name-keys.ts';
import { allow, personOfOwnLead, personOfOwnLeadOrContact, personOfTeamLead } from '../access/access-rules.ts';
import { choice, json, list, ratio, text } from '../model/columns.ts';
import { resource } from '../model/define-resource.ts';
import { entity } from '../model/entity.ts';
import { country, email, phone, webAddress } from '../model/formats.ts';
import { consentSchema } from '../../workflows/leads/capture.ts';

/** One human being, however many leads, contacts or tickets they have (spec/5 `crm_people`). */
export const Person = entity('Person', 'crm_people', {
  key: 'person_id',
  columns: {
    fullName: text(200),
    /** Folded for comparison: lower case, no accents. */
    normalizedName: text(200, { nullable: true }),
    primaryEmail: email({ nullable: true }),
    primaryPhone: phone({ nullable: true }),
    /** What the MX record of the primary mail says: it marks, it never refuses. */
    emailStatus: choice(emailStatuses, { default: 'unknown' }),
    linkedinUrl: webAddress({ nullable: true }),
    personaLabels: list(50, { default: [] }),
    /** 0 (hearsay) to 1 (checked). */
    sourceConfidence: ratio(0, 1, { nullable: true }),
    country: country({ nullable: true }),
    consent: json(consentSchema, { nullable: true }),
  },
  search: ['fullName', 'primaryEmail', 'primaryPhone'],
  indexes: [
    { name: 'email', columns: 'primary_email', where: 'deleted_at is null' },
    { name: 'phone', columns: 'primary_phone', where: 'deleted_at is null' },
    { name: 'normalized_name', columns: 'normalized_name', where: 'deleted_at is null' },
  ],
});

export const people = resource(Person, {
  path: 'people',
  title: 'person',
  creatable: [
    'fullName',
    'primaryEmail',
    'primaryPhone',
    'linkedinUrl',
    'personaLabels',
    'sourceConfidence',
    'country',
    'consent',
  ],
  patchable: [
    'fullName',
    'primaryEmail',
    'primaryPhone',
    'linkedinUrl',
    'personaLabels',
    'sourceConfidence',
    'country',
    'consent',
  ],
  filterable: ['fullName', 'primaryEmail', 'primaryPhone', 'country', 'emailStatus'],
  sortable: ['fullName', 'createdAt', 'updatedAt'],
  derived: {
    normalizedName: ({ fullName }) => personNameKey(String(fullName)),
    // Nobody has looked another mail up yet.
    emailStatus: ({ primaryEmail, emailStatus }, before) =>
      before !== null && before['primaryEmail'] !== primaryEmail ? 'unknown' : emailStatus,
  },
  read: allow('people:read', { own: personOfOwnLeadOrContact }),
  write: allow('people:write', { own: personOfOwnLead, team: personOfTeamLead }),
  remove: allow('people:delete', { team: personOfTeamLead }),
  feature: 'parties',
});
