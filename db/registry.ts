import type { EntityName } from '@mikro-orm/postgresql';
import { identities, Identity } from './access/identity.ts';
import { Organization, organizations } from './access/organization.ts';
import { Permission, permissionsResource } from './access/permission.ts';
import { RoleAssignment, roleAssignments } from './access/role-assignment.ts';
import { Role, rolesResource } from './access/role.ts';
import { TeamMember, teamMembers } from './access/team-member.ts';
import { Team, teams } from './access/team.ts';
import { User, users } from './access/user.ts';
import { Command } from './automation/command.ts';
import { FeatureFlag, featureFlags } from './automation/feature-flag.ts';
import { OutboxEvent } from './automation/outbox-event.ts';
import { Calendar, calendars } from './calendars/calendar.ts';
import { activities, Activity } from './engagement/activity.ts';
import { Note, notes } from './engagement/note.ts';
import { Notification, notifications } from './engagement/notification.ts';
import { Tag, tags } from './engagement/tag.ts';
import { Tagging, taggings } from './engagement/tagging.ts';
import { Task, tasks } from './engagement/task.ts';
import { timeline, TimelineEntry } from './engagement/timeline-entry.ts';
import { AuditEntry, auditLog } from './governance/audit-entry.ts';
import { Merge, merges } from './governance/merge.ts';
import { AssignmentRule, assignmentRules } from './leads/assignment-rule.ts';
import { LeadAssignment, leadAssignments } from './leads/lead-assignment.ts';
import { LeadScore, leadScores } from './leads/lead-score.ts';
import { LeadStep, leadSteps } from './leads/lead-step.ts';
import { Lead, leads } from './leads/lead.ts';
import { PropertyInterest, propertyInterests } from './leads/property-interest.ts';
import { QualificationEvidence, qualificationEvidence } from './leads/qualification-evidence.ts';
import { ScoringModel, scoringModels } from './leads/scoring-model.ts';
import type { Resource } from './model/define-resource.ts';
import type { EntityDefinition, RecordRow } from './model/entity.ts';
import { Account, accounts } from './parties/account.ts';
import { Contact, contacts } from './parties/contact.ts';
import { ExternalRef, externalRefs } from './parties/external-ref.ts';
import { people, Person } from './parties/person.ts';

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
  featureFlags,
  auditLog,
  merges,
];

/** Every table, resources and the two that only the product itself reads. */
const definitions: readonly EntityDefinition[] = [
  Organization, Identity, User, Team, TeamMember, Role, Permission, RoleAssignment,
  Calendar, Person, Account, Contact, ExternalRef,
  ScoringModel, AssignmentRule, Lead, LeadScore, LeadAssignment, LeadStep, QualificationEvidence, PropertyInterest,
  Activity, Task, Note, TimelineEntry, Tag, Tagging, Notification,
  AuditEntry, Merge, Command, OutboxEvent, FeatureFlag,
];

export const entities: readonly EntityName<RecordRow>[] = definitions.map((definition) => definition.entity);

const byTitle = new Map(resources.map((resource) => [resource.definition.table, resource]));

/** The resource of a table; a reference to a table without one can't be expanded. */
export function resourceOf(definition: EntityDefinition): Resource | undefined {
  return byTitle.get(definition.table);
}

/** The resource behind a subject type such as `lead`. */
export function subjectResource(subjectType: string): Resource | undefined {
  return resources.find((resource) => resource.title === subjectType);
}
