import { type EntityManager, LockMode } from '@mikro-orm/postgresql';
import { actorLabel } from '../../db/access/actor.ts';
import type { KnownPerson } from '../../db/leads/intake.queries.ts';
import { auditRows, baseColumns, type Change } from '../../db/model/changes.ts';
import type { RowOf } from '../../db/model/entity.ts';
import { type Insertion, insertRows } from '../../db/model/set-based.ts';
import { Person } from '../../db/parties/person.ts';
import type { EmailStatus } from '../../workflows/leads/facts.ts';
import type { NormalisedIntake } from '../../workflows/leads/normalisation.ts';

/** What a capture says of the human behind it. */
type Described = Pick<NormalisedIntake, 'fullName' | 'normalizedName' | 'email' | 'phone' | 'country' | 'consent'>;

/** The row of a person who is met for the first time. */
export function newPerson(change: Change, id: string, described: Described, emailStatus: EmailStatus): Insertion {
  const { fullName, normalizedName, email, phone, country, consent } = described;
  const own = {
    fullName,
    normalizedName,
    primaryEmail: email,
    primaryPhone: phone,
    emailStatus,
    country,
    consent,
    personaLabels: [],
  };
  return { into: Person, rows: [{ id, ...baseColumns(change), ...own }] };
}

/**
 * Adds to a person on record the mail or phone that was not known of them yet, and what the look-up says of their mail;
 * with audit, in the caller's transaction. Answers the person as they are then.
 */
export async function completePerson(
  em: EntityManager,
  change: Change,
  person: KnownPerson,
  { email, phone }: Described,
  emailStatus: EmailStatus,
): Promise<KnownPerson> {
  if (Object.keys(additions(person, email, phone, emailStatus)).length === 0) return person;
  const row = (await em.findOne(
    Person.entity,
    { id: person.id },
    { lockMode: LockMode.PESSIMISTIC_WRITE, refresh: true },
  )) as RowOf<typeof Person> | null;
  if (!row) return person;
  const values = additions(row, email, phone, emailStatus);
  const audit = auditRows({ ...change, subjectType: 'person', subjectId: row.id }, row.version + 1, { ...row }, values);
  if (audit.rows.length === 0) return row;
  em.assign(row, { ...values, updatedAt: change.at, updatedBy: actorLabel(change.actor) } as never);
  await em.flush();
  await insertRows(em, [audit]);
  return row;
}

function additions(
  person: Omit<KnownPerson, 'id' | 'fullName'>,
  email: string | null,
  phone: string | null,
  emailStatus: EmailStatus,
): Partial<KnownPerson> {
  const primaryEmail = person.primaryEmail ?? email;
  const wasLookedUp =
    email !== null && emailStatus !== 'unknown' && primaryEmail === email && emailStatus !== person.emailStatus;
  return {
    ...(person.primaryEmail === null && email !== null ? { primaryEmail } : {}),
    ...(person.primaryPhone === null && phone !== null ? { primaryPhone: phone } : {}),
    ...(wasLookedUp ? { emailStatus } : {}),
  };
}
