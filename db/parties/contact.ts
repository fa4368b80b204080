import { allow, onOwnAccount, onTeamAccount } from '../access/access-rules.ts';
import { choice, flag, reference, text } from '../model/columns.ts';
import { resource } from '../model/define-resource.ts';
import { entity } from '../model/entity.ts';
import { Account } from './account.ts';
import { Person } from './person.ts';

/** A person at an account: what they do there and how far the relation has come. */
export const Contact = entity('Contact', 'crm_contacts', {
  key: 'contact_id',
  columns: {
    personId: reference(() => Person),
    accountId: reference(() => Account),
    title: text(120, { nullable: true }),
    role: choice(['decision_maker', 'influencer', 'champion', 'user', 'billing', 'other'], { nullable: true }),
    primary: flag({ default: false, column: 'is_primary' }),
    lifecycle: choice(['subscriber', 'lead', 'qualified', 'customer', 'former'], { default: 'lead' }),
  },
  search: ['title'],
  uniques: [['personId', 'accountId']],
});

export const contacts = resource(Contact, {
  path: 'contacts',
  title: 'contact',
  creatable: ['personId', 'accountId', 'title', 'role', 'primary', 'lifecycle'],
  patchable: ['title', 'role', 'primary', 'lifecycle'],
  filterable: ['personId', 'accountId', 'role', 'primary', 'lifecycle'],
  sortable: ['createdAt', 'updatedAt'],
  expandable: { person: 'personId', account: 'accountId' },
  read: allow('accounts:read'),
  write: allow('accounts:write', { own: onOwnAccount, team: onTeamAccount }),
  remove: allow('accounts:delete', { team: onTeamAccount }),
  feature: 'parties',
});
