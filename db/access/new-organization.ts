import { createHash } from 'node:crypto';
import { v7 as uuidv7 } from 'uuid';
import { z } from 'zod';
import type { Role as RoleName } from '../../workflows/access/permissions.ts';
import { featureFlags } from '../automation/feature-flag.ts';
import { writeOnce } from '../automation/ledger.queries.ts';
import { calendars } from '../calendars/calendar.ts';
import { acrossOrganizations, type Database } from '../database.ts';
import { Notification } from '../engagement/notification.ts';
import { baseColumns, eventRow, timelineRow } from '../model/changes.ts';
import { createRecord } from '../model/counterparts.ts';
import type { Resource } from '../model/define-resource.ts';
import { Problem } from '../model/problem.ts';
import type { RowWrite } from '../model/row-writes.ts';
import { parseOrRefuse } from '../model/schemas.ts';
import { insertRows } from '../model/set-based.ts';
import { resources } from '../registry.ts';
import type { Actor } from './actor.ts';
import { Organization } from './organization.ts';
import { roleAssignments } from './role-assignment.ts';
import { insertRoles, type NewId } from './standard-roles.ts';
import { User, users } from './user.ts';

const { slug, name, defaultRegion } = Organization.columns;
const { fullName, email } = User.columns;

const newOrganization = z.strictObject({
  slug: slug.schema,
  name: name.schema,
  defaultRegion: defaultRegion.schema,
  administrator: z.strictObject({ fullName: fullName.schema, email: email.schema }),
  /** Body of its business hours, as `POST /crm/v1/calendars` takes it. */
  calendar: z.record(z.string(), z.unknown()),
});

/** Who an organisation is, when it works, and who administers it first. */
export interface NewOrganization {
  slug: string;
  name: string;
  /** ISO 3166-1 alpha-2. */
  defaultRegion: string;
  administrator: { fullName: string; email: string };
  calendar: Record<string, unknown>;
}

/** An organisation in the making, within the transaction that makes it. */
export interface Founding {
  organizationId: string;
  administratorId: string;
  calendarId: string;
  roleIds: ReadonlyMap<RoleName, string>;
  /** A write of the founding to records of this resource. */
  write(resource: Resource): RowWrite;
  /** Makes a record as `POST` of this body would; answers its identifier. Throws Problems. */
  create(resource: Resource, body: Record<string, unknown>): Promise<string>;
  newId: NewId;
}

interface Ways {
  /** Who makes it, as audit and timeline name them: `process:{by}`. */
  by: string;
  /** UUIDv7 if left out. */
  newId?: NewId | undefined;
  /** Adds what it shall have besides; answers who gets leads that nobody has room for. */
  furnish(founding: Founding): Promise<{ fallbackUserId: string }>;
}

/**
 * Makes an organisation, all of it in one transaction of the relay's role: roles with their permissions, business hours,
 * the first administrator with identity and role, the switches of the modules, and what `furnish` adds.
 * Throws Problems: `invalid`, `duplicate` when the slug is taken, and those of the records.
 */
export async function createOrganization(
  database: Database,
  given: NewOrganization,
  { by, newId = () => uuidv7(), furnish }: Ways,
): Promise<Pick<Founding, 'organizationId' | 'administratorId'>> {
  const body = parseOrRefuse(newOrganization, given, 'This organisation') as NewOrganization;
  const organizationId = newId('Organization');
  const actor: Actor = { kind: 'process', organizationId, process: by, recordId: organizationId };
  const at = new Date();
  const requestHash = createHash('sha256').update(JSON.stringify(body)).digest('hex');
  const write = { actor, idempotencyKey: organizationId, route: 'organizations', requestHash, receivedAt: at };
  const answer = await writeOnce(database, write, async (em, commandId) => {
    const writeTo = (resource: Resource): RowWrite => ({ em, write, commandId, resource });
    const create: Founding['create'] = async (resource, record) =>
      String((await createRecord(writeTo(resource), record, newId(resource.definition.name))).body?.['id']);
    const roleIds = await insertRoles(em, baseColumns({ organizationId, actor, at }), newId);
    const calendarId = await create(calendars, body.calendar);
    const administratorId = await create(users, body.administrator);
    await create(roleAssignments, { userId: administratorId, roleId: roleIds.get('admin') });
    for (const feature of new Set(resources.flatMap(({ feature }) => feature ?? [])))
      await create(featureFlags, { name: `crm_feature_${feature}`, description: `The module "${feature}"` });
    const founding = { organizationId, administratorId, calendarId, roleIds, write: writeTo, create, newId };
    const { fallbackUserId } = await furnish(founding);
    const change = { organizationId, actor, at, subjectType: 'organization', subjectId: organizationId, commandId };
    // An organisation is its own: its key is the column by which every other table is isolated.
    const { organizationId: id, ...base } = baseColumns(change);
    const { administrator: _administrator, calendar: _calendar, ...own } = body;
    const notificationId = newId('Notification');
    await insertRows(em, [
      { into: Organization, rows: [{ id, ...base, ...own, fallbackUserId, calendarId }] },
      timelineRow(change, 'organization.created', 'organization created'),
      {
        into: Notification,
        rows: [
          {
            id: notificationId,
            ...baseColumns(change),
            userId: administratorId,
            subjectType: change.subjectType,
            subjectId: id,
            kind: 'organization.created',
            title: `${body.name} is set up`,
            body: 'Invite your colleagues, and make business hours, rules and promises your own.',
          },
        ],
      },
      eventRow(change, 'notification.created', { notificationId }),
    ]);
    // Nothing runs yet that a calendar or a rule just made could concern.
    await em.execute('update crm_core.crm_outbox set delivered_at = ? where organization_id = ?', [at, organizationId]);
    return { status: 201, body: { organizationId, administratorId } };
  });
  return answer.body as { organizationId: string; administratorId: string };
}

/**
 * The same unless it was made before: the same slug with the same administrator is the same organisation, and nothing
 * is changed. Problem `duplicate` when the slug is another one's.
 */
export async function ensureOrganization(
  database: Database,
  given: NewOrganization,
  ways: Ways,
): Promise<Pick<Founding, 'organizationId' | 'administratorId'> & { created: boolean }> {
  const { administrator } = given;
  const [known] = await acrossOrganizations(
    database,
    (em) =>
      em.execute(
        `select o.organization_id as "organizationId", u.user_id as "administratorId"
         from crm_core.core_organizations o
         left join (crm_core.crm_users u
           join crm_core.core_role_assignments a on a.user_id = u.user_id and a.deleted_at is null
           join crm_core.core_roles r on r.role_id = a.role_id and r.name = 'admin' and r.deleted_at is null)
           on u.organization_id = o.organization_id and lower(u.email) = lower(trim(?)) and u.deleted_at is null
         where o.slug = ? and o.deleted_at is null`,
        [administrator.email, given.slug],
      ) as Promise<{ organizationId: string; administratorId: string | null }[]>,
  );
  if (!known) return { created: true, ...(await createOrganization(database, given, ways)) };
  const { organizationId, administratorId } = known;
  if (administratorId !== null) return { created: false, organizationId, administratorId };
  throw new Problem(
    'duplicate',
    `The organisation \`${given.slug}\` exists already, and ${administrator.email} is not one of its administrators. Choose another slug.`,
  );
}
