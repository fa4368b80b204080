import type { EntityManager, FilterQuery } from '@mikro-orm/postgresql';
import type { Actor } from '../access/actor.ts';
import { resourceOf, subjectResource } from '../registry.ts';
import type { Resource } from './define-resource.ts';
import type { RecordRow } from './entity.ts';
import { Problem, type ProblemEntry } from './problem.ts';

/**
 * Foreign keys ignore row-level security, so a reference to another organisation's record would be accepted: each one
 * given must be a record that this caller can see. Problem `reference_not_found` names every other.
 */
export async function refuseInvisibleReferences(
  em: EntityManager,
  actor: Actor,
  resource: Resource,
  row: RecordRow,
  given: readonly string[],
): Promise<void> {
  const errors: ProblemEntry[] = [];
  // Another kind of subject is another reference, though the identifier stays.
  const properties = new Set(given.map((property) => (property === 'subjectType' ? 'subjectId' : property)));
  for (const property of properties) {
    const id = row[property];
    if (typeof id !== 'string') continue;
    if (property === 'subjectId' && row['subjectType'] === null)
      errors.push({ path: 'subjectType', message: 'is needed to tell what subjectId names' });
    const target = targetOf(resource, row, property);
    if (!target) continue;
    if (!(await isVisible(em, actor, target, id)))
      errors.push({ path: property, message: `there is no ${target.title} ${id}` });
  }
  if (errors.length > 0)
    throw new Problem('reference_not_found', 'A referenced record does not exist; see errors.', errors);
}

function targetOf(resource: Resource, row: RecordRow, property: string): Resource | undefined {
  if (property === 'subjectId') return subjectResource(String(row['subjectType']));
  const target = resource.definition.columns[property]?.target;
  return target && resourceOf(target());
}

async function isVisible(em: EntityManager, actor: Actor, target: Resource, id: string): Promise<boolean> {
  const access = target.read(actor);
  if (access === false) return false;
  const where = { $and: [{ id }, { deletedAt: null }, access === true ? {} : access] } as FilterQuery<RecordRow>;
  return (await em.count(target.definition.entity, where)) > 0;
}
