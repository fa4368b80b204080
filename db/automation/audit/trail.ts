import { schema } from '../../model/entity.ts';
import { subjectTypeOf } from '../../model/record-json.ts';
import { resources } from '../../registry.ts';
import { type Check, wasCaptured } from './check.ts';

/** Tables of which every new version is on record, field by field. */
const audited = resources.filter(({ patchable }) => patchable.length > 0);

const versionGaps = audited.map((resource) => {
  const { table, key } = resource.definition;
  const subjectType = subjectTypeOf(resource);
  return `
    select r.organization_id, '${subjectType} ' || r.${key} as subject,
      'version ' || r.version || ', but ' || count(distinct e.subject_version) || ' changes on record' as detail
    from ${schema}.${table} r
    left join ${schema}.crm_auditlog e on e.organization_id = r.organization_id and e.subject_id = r.${key} and e.subject_type = '${subjectType}'
    where r.version > 1
    group by r.organization_id, r.${key}, r.version
    having count(distinct e.subject_version) < r.version - 1`;
});

/** What must be told of every change. */
export const trailChecks: readonly Check[] = [
  {
    name: 'audit-gap',
    means: 'A record was changed more often than its audit trail tells.',
    mend: 'It was changed behind the product: find who writes to the database directly.',
    sql: versionGaps.join('\n    union all'),
  },
  {
    name: 'capture-untold',
    means: "A lead's timeline does not begin with its capture.",
    mend: 'The row was written behind the product: compare it with a backup.',
    sql: `
      select l.organization_id, 'lead ' || l.lead_id as subject, 'captured ' || l.captured_at as detail
      from crm_core.crm_leads l
      where ${wasCaptured} and not exists (select from crm_core.crm_timeline t where t.subject_id = l.lead_id and t.kind = 'lead.captured')`,
  },
];
