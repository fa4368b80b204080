import { anyOf, type Check, wordsOf } from './check.ts';
import { ofEachKind, type ProcessKind } from './process-kinds.ts';

const subject = ({ process, key }: ProcessKind) => `r.organization_id, '${process.name} ' || r.${key} as subject`;

/** What the columns of a record with a process say of each other, and of its merge. */
export const stateChecks: readonly Check[] = [
  {
    name: 'state-contradicts',
    means: 'The columns of a lead or a ticket contradict each other: no process has left it so.',
    mend: 'It was changed behind the product: its trail (`…/audit`) tells how it stood; set the columns back to that.',
    sql: ofEachKind(
      (kind) => `
      select ${subject(kind)}, 'stage ' || r.stage || ': ' || ${wordsOf(kind.contradictions)} as detail
      from ${kind.table} r
      where ${anyOf(Object.values(kind.contradictions))}`,
    ),
  },
  {
    name: 'unplanned',
    means: 'An open lead or ticket waits for an instant, but none is planned: its process does nothing more by itself.',
    mend: 'Send its process the signal `configurationChanged {}`, upon which it plans again.',
    sql: ofEachKind(
      (kind) => `
      select ${subject(kind)},
        'stage ' || r.stage || ', next step ' || coalesce(r.next_step, 'none') || ', due ' || coalesce(r.next_due_at::text, 'never') as detail
      from ${kind.table} r
      where ${kind.isOpen} and r.deleted_at is null
        and case when r.next_step is null and r.next_due_at is null then ${kind.isPlanned} else r.next_step is null or r.next_due_at is null end`,
    ),
  },
  {
    name: 'merge-unexplained',
    means:
      'A lead or a ticket was merged, but no merge on record says into what; or the record of its merge says otherwise.',
    mend: 'crm_merges or the row was changed behind the product: put back from a backup what is missing, so that the merge can be taken back.',
    sql: ofEachKind(
      (kind) => `
      select ${subject(kind)}, 'stage ' || r.stage || ', merged into ' || coalesce(r.${kind.survivor}::text, 'nothing')
        || ', on record: ' || coalesce(string_agg(m.survivor_id::text, ', '), 'nothing') as detail
      from ${kind.table} r
      left join crm_core.crm_merges m on m.merged_id = r.${kind.key} and m.organization_id = r.organization_id
        and m.subject_type = '${kind.process.name}' and m.undone_at is null and m.deleted_at is null
      where r.stage = 'merged' or r.${kind.survivor} is not null or m.merge_id is not null
      group by r.organization_id, r.${kind.key}, r.stage, r.${kind.survivor}
      having r.stage <> 'merged' or r.${kind.survivor} is null or count(*) <> 1 or min(m.survivor_id::text) is distinct from r.${kind.survivor}::text`,
    ),
  },
  {
    name: 'survivor-missing',
    means: 'A lead or a ticket was merged into one that has no row; one that was deleted has.',
    mend: 'The row was deleted behind the product: restore it from a backup.',
    sql: ofEachKind(
      (kind) => `
      select ${subject(kind)}, 'merged into ${kind.process.name} ' || r.${kind.survivor} as detail
      from ${kind.table} r
      where r.${kind.survivor} is not null and not exists (
        select from ${kind.table} s where s.${kind.key} = r.${kind.survivor} and s.organization_id = r.organization_id)`,
    ),
  },
];
