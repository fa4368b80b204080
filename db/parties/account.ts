import { z } from 'zod';
import { companyNameKey } from '../../workflows/leads/name-keys.ts';
import { allow, ofTeamMember, type Whose } from '../access/access-rules.ts';
import { User } from '../access/user.ts';
import { choice, json, reference, text } from '../model/columns.ts';
import { resource } from '../model/define-resource.ts';
import { mailDomain } from '../model/formats.ts';
import { entity, type EntityDefinition } from '../model/entity.ts';

const parent = (): EntityDefinition => Account;

const ownAccount = ({ userId }: Whose) => ({ $or: [{ ownerUserId: userId }, { createdBy: `user:${userId}` }] });
const teamAccount = (whose: Whose) => ({
  $or: [{ ownerUserId: ofTeamMember(whose) }, { ownerUserId: null }, { ownerUserId: whose.userId }],
});

/** A company, developer, brokerage or client organisation (spec/5 `crm_accounts`, spec/1). */
export const Account = entity('Account', 'crm_accounts', {
  key: 'account_id',
  columns: {
    accountName: text(200),
    /** Folded, without legal form: `acme` for `ACME GmbH`. */
    normalizedName: text(200, { nullable: true }),
    parentAccountId: reference(parent, { nullable: true }),
    accountType: choice(['prospect', 'customer', 'partner', 'developer', 'brokerage', 'competitor', 'other'], {
      default: 'prospect',
    }),
    industry: text(120, { nullable: true }),
    segment: choice(['enterprise', 'mid_market', 'small_business', 'consumer'], { nullable: true }),
    /** Mail domain by which people are recognised as belonging here. */
    domain: mailDomain({ nullable: true }),
    locationRef: text(200, { nullable: true }),
    /** Gets the leads of this account before any rule is asked. */
    ownerUserId: reference(() => User, { nullable: true }),
    metadataJson: json(z.record(z.string().max(100), z.unknown()), { nullable: true }),
  },
  search: ['accountName', 'domain'],
  uniques: [['normalizedName']],
  indexes: [
    { name: 'domain', columns: 'domain', where: 'deleted_at is null' },
    { name: 'owner', columns: 'owner_user_id', where: 'deleted_at is null' },
  ],
});

export const accounts = resource(Account, {
  path: 'accounts',
  title: 'account',
  creatable: [
    'accountName',
    'parentAccountId',
    'accountType',
    'industry',
    'segment',
    'domain',
    'locationRef',
    'ownerUserId',
    'metadataJson',
  ],
  patchable: [
    'accountName',
    'parentAccountId',
    'accountType',
    'industry',
    'segment',
    'domain',
    'locationRef',
    'ownerUserId',
    'metadataJson',
  ],
  filterable: ['accountName', 'accountType', 'industry', 'segment', 'domain', 'ownerUserId', 'parentAccountId'],
  sortable: ['accountName', 'createdAt', 'updatedAt'],
  expandable: { parentAccount: 'parentAccountId', owner: 'ownerUserId' },
  hierarchy: 'parentAccountId',
  derived: { normalizedName: ({ accountName }) => companyNameKey(String(accountName)) },
  read: allow('accounts:read'),
  write: allow('accounts:write', { own: ownAccount, team: teamAccount }),
  remove: allow('accounts:delete', { team: teamAccount }),
  feature: 'parties',
});
