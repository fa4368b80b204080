import { accessEvents } from './access/access-event.ts';
import { sessions } from './access/session.ts';
import type { EntityName } from '@mikro-orm/postgresql';
import { identities } from './access/identity.ts';
import { organizations } from './access/organization.ts';
import { permissionsResource } from './access/permission.ts';
import { roleAssignments } from './access/role-assignment.ts';
import { rolesResource } from './access/role.ts';
import { teamMembers } from './access/team-member.ts';
import { teams } from './access/team.ts';
import { users } from './access/user.ts';
import { Command } from './automation/command.ts';
import { featureFlags } from './automation/feature-flag.ts';
import { OutboxEvent } from './automation/outbox-event.ts';
import { calendars } from './calendars/calendar.ts';
import { activities } from './engagement/activity.ts';
import { notes } from './engagement/note.ts';
import { notifications } from './engagement/notification.ts';
import { tags } from './engagement/tag.ts';
import { taggings } from './engagement/tagging.ts';
import { tasks } from './engagement/task.ts';
import { timeline } from './engagement/timeline-entry.ts';
import { auditLog } from './governance/audit-entry.ts';
import { merges } from './governance/merge.ts';
import { assignmentRules } from './leads/assignment-rule.ts';
import { leadAssignments } from './leads/lead-assignment.ts';
import { leadScores } from './leads/lead-score.ts';
import { leadSteps } from './leads/lead-step.ts';
import { leads } from './leads/lead.ts';
import { propertyInterests } from './leads/property-interest.ts';
import { qualificationEvidence } from './leads/qualification-evidence.ts';
import { scoringModels } from './leads/scoring-model.ts';
import type { Resource } from './model/define-resource.ts';
import type { EntityDefinition, RecordRow } from './model/entity.ts';
import { subjectTypeOf } from './model/record-json.ts';
import { accounts } from './parties/account.ts';
import { contacts } from './parties/contact.ts';
import { externalRefs } from './parties/external-ref.ts';
import { people } from './parties/person.ts';
import { articles } from './tickets/article.ts';
import { attachments } from './tickets/attachment.ts';
import { conversations } from './tickets/conversation.ts';
import { conversationMessages } from './tickets/conversation-message.ts';
import { ticketRoutingRules } from './tickets/routing-rule.ts';
import { slaClocks } from './tickets/sla-clock.ts';
import { slaPolicies } from './tickets/sla-policy.ts';
import { ticketAssignments } from './tickets/ticket-assignment.ts';
import { ticketSteps } from './tickets/ticket-step.ts';
import { tickets } from './tickets/ticket.ts';

/** Every resource, in the order of the API reference. A new entity is one file and its line here. */
export const resources: readonly Resource[] = [
  leads,
  scoringModels,
  assignmentRules,
  leadScores,
  leadAssignments,
  leadSteps,
  qualificationEvidence,
  propertyInterests,
  tickets,
  slaPolicies,
  ticketRoutingRules,
  slaClocks,
  ticketAssignments,
  ticketSteps,
  conversations,
  conversationMessages,
  attachments,
  articles,
  people,
  accounts,
  contacts,
  externalRefs,
  activities,
  tasks,
  notes,
  timeline,
  tags,
  taggings,
  notifications,
  calendars,
  users,
  teams,
  teamMembers,
  organizations,
  identities,
  rolesResource,
  permissionsResource,
  roleAssignments,
  sessions,
  accessEvents,
  featureFlags,
  auditLog,
  merges,
];

/** Every table: those of the resources, and the two that only the product itself reads. */
const definitions: readonly EntityDefinition[] = [
  ...resources.map(({ definition }) => definition),
  Command,
  OutboxEvent,
];

export const entities: readonly EntityName<RecordRow>[] = definitions.map((definition) => definition.entity);

/** The resource of a table; a reference to a table without one can't be expanded. */
export function resourceOf(definition: EntityDefinition): Resource | undefined {
  return resources.find((resource) => resource.definition.table === definition.table);
}

/** The resource whose route is `/crm/v1/{path}`. Throws on a path that no resource has. */
export function resourceAt(path: string): Resource {
  const resource = resources.find((candidate) => candidate.path === path);
  if (!resource) throw new Error(`The registry has no ${path}.`);
  return resource;
}

/** The resource behind a subject type such as `lead`. */
export function subjectResource(subjectType: string): Resource | undefined {
  return resources.find((resource) => subjectTypeOf(resource) === subjectType);
}
