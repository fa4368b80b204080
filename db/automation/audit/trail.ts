import type { Resource } from '../../model/define-resource.ts';
import { columnName, schema } from '../../model/entity.ts';
import { subjectTypeOf } from '../../model/record-json.ts';
import { resources } from '../../registry.ts';
import { type Check, iso, wasCaptured } from './check.ts';
import { ofEachKind } from './process-kinds.ts';

/** Tables of which every new version is on record, field by field. */
const audited = resources.filter(({ patchable }) => patchable.length > 0);

/** One statement over the tables of all of them. */
const ofEachAudited = (sql: (resource: Resource) => string): string => audited.map(sql).join('\n    union all');

const versionGaps = (resource: Resource): string => {
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
};

/** The value of a field in row `r` as the trail keeps it; a field that the table does not have any more is as it was. */
const valueOf = ({ definition, derived = {} }: Resource): string => {
  const kept = Object.entries(definition.columns).filter(([property]) => !(property in derived));
  const whens = [...kept, ['deletedAt', { kind: 'instant' }] as const].map(([property, { kind }]) => {
    const column = `r.${columnName(definition, property)}`;
    return `when '${property}' then to_jsonb(${kind === 'instant' ? iso(column) : column})`;
  });
  return `case n.field ${whens.join(' ')} else n.value_after end`;
};

// What follows from another field is told of with some changes and not with others.
const otherThanTold = (resource: Resource): string => {
  const { table, key } = resource.definition;
  const subjectType = subjectTypeOf(resource);
  return `
    select r.organization_id, '${subjectType} ' || r.${key} as subject,
      'version ' || r.version || ': ' || string_agg(n.field, ', ' order by n.field) as detail
    from ${schema}.${table} r
    join ${schema}.crm_auditlog n on n.organization_id = r.organization_id and n.subject_id = r.${key} and n.subject_type = '${subjectType}'
    where r.version > 1 and n.value_after is distinct from ${valueOf(resource)}
      and not exists (select from ${schema}.crm_auditlog e
        where e.organization_id = n.organization_id and e.subject_id = n.subject_id and e.subject_type = n.subject_type
          and e.field = n.field and e.subject_version > n.subject_version)
    group by r.organization_id, r.${key}, r.version`;
};

/** What must be told of every change. */
export const trailChecks: readonly Check[] = [
  {
    name: 'record-missing',
    means: 'A timeline tells of a record that has no row; what was deleted has one.',
    mend: 'The row was deleted behind the product: restore it from a backup.',
    sql: `
      select t.organization_id, t.subject_type || ' ' || t.subject_id as subject, 'told of since ' || min(t.happened_at) as detail
      from ${schema}.crm_timeline t
      left join (${audited.map((resource) => `select '${subjectTypeOf(resource)}' as subject_type, ${resource.definition.key} as id from ${schema}.${resource.definition.table}`).join(' union all ')}) r
        on r.subject_type = t.subject_type and r.id = t.subject_id
      where r.id is null and t.subject_type in (${audited.map((resource) => `'${subjectTypeOf(resource)}'`).join(', ')})
      group by t.organization_id, t.subject_type, t.subject_id`,
  },
  {
    name: 'audit-gap',
    means: 'A record was changed more often than its audit trail tells.',
    mend: 'It was changed behind the product: find who writes to the database directly.',
    sql: ofEachAudited(versionGaps),
  },
  {
    name: 'audit-differs',
    means: 'Fields of a record are not as the last change on record left them.',
    mend: 'The row or its trail was changed behind the product: compare `…/audit` with a backup, and write the right value by a PATCH or a command.',
    sql: ofEachAudited(otherThanTold),
  },
  {
    name: 'stage-unrecorded',
    means:
      'A lead or a ticket is in a stage that it can only have come to by a change, and no change on record led there.',
    mend: 'The row or crm_auditlog was changed behind the product: compare both with a backup.',
    sql: ofEachKind(
      ({ process, table, key, firstStages }) => `
      select r.organization_id, '${process.name} ' || r.${key} as subject, 'stage ' || r.stage || ', version ' || r.version as detail
      from ${table} r
      where r.stage not in (${firstStages.map((stage) => `'${stage}'`).join(', ')})
        and not exists (select from crm_core.crm_auditlog e
          where e.organization_id = r.organization_id and e.subject_id = r.${key} and e.field = 'stage' and e.value_after = to_jsonb(r.stage))`,
    ),
  },
  {
    name: 'command-without-change',
    means: 'A command was carried out, and no change on record is due to it.',
    mend: 'crm_auditlog or crm_commands was changed behind the product: compare both with a backup.',
    sql: ofEachKind(
      ({ process, changing }) => `
      select c.organization_id, 'command ' || c.command_id as subject,
        '${process.name} ' || c.record_id || ': ' || c.message || ', answered ' || c.answer_status as detail
      from crm_core.crm_commands c
      where c.process = '${process.name}' and c.message in (${changing.map((message) => `'${message}'`).join(', ')})
        and c.state = 'answered' and c.answer_status < 300 and c.route <> 'signal'
        and not exists (select from crm_core.crm_auditlog e
          where e.organization_id = c.organization_id and e.command_id = c.command_id and e.subject_id = c.record_id)`,
    ),
  },
  {
    name: 'change-untold',
    means: 'A lead or a ticket came to another stage, status or owner, and its timeline does not tell of it.',
    mend: 'crm_timeline was changed behind the product: compare it with a backup; `…/audit` tells the same in fields.',
    sql: ofEachKind(
      ({ process, key, assignments }) => `
      select e.organization_id, '${process.name} ' || e.subject_id as subject,
        e.happened_at || ': ' || string_agg(e.field, ', ' order by e.field) as detail
      from (
        select organization_id, subject_id, happened_at, field from crm_core.crm_auditlog
        where subject_type = '${process.name}' and field in ('stage', 'status', 'assignedUserId', 'priority')
        union all select organization_id, ${key}, decided_at, 'assignment ' || round from ${assignments}) e
      where not exists (select from crm_core.crm_timeline t
        where t.organization_id = e.organization_id and t.subject_id = e.subject_id and t.happened_at = e.happened_at)
      group by e.organization_id, e.subject_id, e.happened_at`,
    ),
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
