import { z } from 'zod';
import { allow } from '../access/access-rules.ts';
import { identifier, instant, integer, json, text } from '../model/columns.ts';
import { resource } from '../model/define-resource.ts';
import { entity } from '../model/entity.ts';

/** One field's change, written in the transaction of the change (spec/2 `crm_auditlog`). */
export const AuditEntry = entity('AuditEntry', 'crm_auditlog', {
  key: 'audit_id',
  columns: {
    subjectType: text(40),
    subjectId: identifier(),
    /** Version of the record that this change made. */
    subjectVersion: integer(1, 2_147_483_647),
    field: text(80),
    before: json(z.unknown(), { nullable: true, column: 'value_before' }),
    after: json(z.unknown(), { nullable: true, column: 'value_after' }),
    actor: text(120),
    commandId: identifier({ nullable: true }),
    happenedAt: instant(),
  },
  indexes: [{ name: 'subject', columns: 'subject_id, happened_at desc, audit_id desc' }],
});

export const auditLog = resource(AuditEntry, {
  path: 'audit-entries',
  title: 'audit entry',
  creatable: [],
  patchable: [],
  filterable: ['subjectType', 'subjectId', 'field', 'actor', 'happenedAt'],
  sortable: ['happenedAt', 'createdAt'],
  read: allow('audit:read'),
  write: () => false,
  feature: 'governance',
});
