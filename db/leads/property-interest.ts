import { allow, ofOwnLead, ofTeamLead } from '../access/access-rules.ts';
import { choice, identifier, longText, reference } from '../model/columns.ts';
import { resource } from '../model/define-resource.ts';
import { entity } from '../model/entity.ts';
import { exampleId } from '../model/example-ids.ts';
import { Lead } from './lead.ts';

/** What a lead would buy: a project or a unit of the inventory (spec/5 `crm_property_interests`). */
export const PropertyInterest = entity('PropertyInterest', 'crm_property_interests', {
  key: 'property_interest_id',
  columns: {
    leadId: reference(() => Lead),
    projectId: identifier({ nullable: true }),
    unitId: identifier({ nullable: true }),
    level: choice(['low', 'medium', 'high'], { default: 'medium' }),
    notes: longText(5_000, { nullable: true }),
  },
  indexes: [{ name: 'lead', columns: 'lead_id', where: 'deleted_at is null' }],
});

export const propertyInterests = resource(PropertyInterest, {
  path: 'property-interests',
  title: 'property interest',
  creatable: ['leadId', 'projectId', 'unitId', 'level', 'notes'],
  patchable: ['projectId', 'unitId', 'level', 'notes'],
  filterable: ['leadId', 'projectId', 'unitId', 'level'],
  sortable: ['createdAt', 'updatedAt'],
  expandable: { lead: 'leadId' },
  read: allow('leads:read', { own: ofOwnLead }),
  redact: { properties: ['notes'], unless: allow('leads:read_contact_data', { own: ofOwnLead }) },
  write: allow('leads:update', { own: ofOwnLead, team: ofTeamLead }),
  rules: ({ projectId, unitId }) =>
    projectId || unitId ? [] : [{ path: 'projectId', message: 'name a project, a unit or both' }],
  example: { projectId: exampleId('Project') },
  feature: 'leads',
});
