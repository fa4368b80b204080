import { Migration } from '@mikro-orm/migrations';

export class Migration20261121112852_tickets extends Migration {
  override name = 'Migration20261121112852_tickets';

  override up(): void | Promise<void> {
    this.addSql(
      `create table "crm_core"."crm_articles" ("article_id" uuid not null, "organization_id" uuid not null, "title" varchar(200) not null, "slug" varchar(120) not null, "summary" text null, "body" text not null, "category" varchar(100) null, "labels" text[] not null default '{}', "language" varchar(12) not null default 'en', "status" text not null default 'draft', "published_at" timestamptz(3) null, "search_text" text generated always as (crm_core.fold(coalesce(title, '') || ' ' || coalesce(summary, '') || ' ' || coalesce(body, ''))) stored null, "created_at" timestamptz(3) not null, "created_by" varchar(120) not null, "updated_at" timestamptz(3) not null, "updated_by" varchar(120) not null, "version" int not null default 1, "deleted_at" timestamptz(3) null, primary key ("article_id"));`,
    );
    this.addSql(
      `create index "crm_articles_newest" on "crm_core"."crm_articles" (organization_id, created_at desc, article_id desc) where deleted_at is null;`,
    );
    this.addSql(
      `create index "crm_articles_status" on "crm_core"."crm_articles" (organization_id, status, created_at desc, article_id desc) where deleted_at is null;`,
    );
    this.addSql(
      `create index "crm_articles_category" on "crm_core"."crm_articles" (organization_id, category) where deleted_at is null;`,
    );
    this.addSql(
      `create index "crm_articles_fulltext" on "crm_core"."crm_articles" using gin (to_tsvector('simple', search_text));`,
    );
    this.addSql(
      `create index "crm_articles_trigram" on "crm_core"."crm_articles" using gin (search_text gin_trgm_ops);`,
    );
    this.addSql(
      `create unique index "crm_articles_slug_unique" on "crm_core"."crm_articles" ("organization_id", "slug") where "deleted_at" is null;`,
    );

    this.addSql(
      `create table "crm_core"."crm_sla_policies" ("sla_policy_id" uuid not null, "organization_id" uuid not null, "name" varchar(120) not null, "active" boolean not null default true, "position" int not null, "condition" text not null, "calendar_id" uuid null, "targets" jsonb not null, "pause_statuses" jsonb not null default '["waiting_for_customer"]', "paused_targets" jsonb not null default '["first_response","next_response","resolution"]', "warn_at" jsonb not null default '[50,75]', "escalation" jsonb not null default '[]', "close_after_minutes" int not null default 5760, "reopen_within_minutes" int not null default 43200, "applied_version" int not null default 0, "applied_terms" jsonb null, "search_text" text generated always as (crm_core.fold(coalesce(name, ''))) stored null, "created_at" timestamptz(3) not null, "created_by" varchar(120) not null, "updated_at" timestamptz(3) not null, "updated_by" varchar(120) not null, "version" int not null default 1, "deleted_at" timestamptz(3) null, primary key ("sla_policy_id"));`,
    );
    this.addSql(
      `create index "crm_sla_policies_newest" on "crm_core"."crm_sla_policies" (organization_id, created_at desc, sla_policy_id desc) where deleted_at is null;`,
    );
    this.addSql(
      `create index "crm_sla_policies_order" on "crm_core"."crm_sla_policies" (organization_id, position) where active and deleted_at is null;`,
    );
    this.addSql(
      `create index "crm_sla_policies_fulltext" on "crm_core"."crm_sla_policies" using gin (to_tsvector('simple', search_text));`,
    );
    this.addSql(
      `create index "crm_sla_policies_trigram" on "crm_core"."crm_sla_policies" using gin (search_text gin_trgm_ops);`,
    );
    this.addSql(
      `create unique index "crm_sla_policies_name_unique" on "crm_core"."crm_sla_policies" ("organization_id", "name") where "deleted_at" is null;`,
    );

    this.addSql(
      `create table "crm_core"."crm_ticket_routing_rules" ("ticket_routing_rule_id" uuid not null, "organization_id" uuid not null, "name" varchar(120) not null, "active" boolean not null default true, "position" int not null, "condition" text not null, "team_id" uuid not null, "strategy" text not null, "search_text" text generated always as (crm_core.fold(coalesce(name, ''))) stored null, "created_at" timestamptz(3) not null, "created_by" varchar(120) not null, "updated_at" timestamptz(3) not null, "updated_by" varchar(120) not null, "version" int not null default 1, "deleted_at" timestamptz(3) null, primary key ("ticket_routing_rule_id"));`,
    );
    this.addSql(
      `create index "crm_ticket_routing_rules_newest" on "crm_core"."crm_ticket_routing_rules" (organization_id, created_at desc, ticket_routing_rule_id desc) where deleted_at is null;`,
    );
    this.addSql(
      `create index "crm_ticket_routing_rules_order" on "crm_core"."crm_ticket_routing_rules" (organization_id, position) where active and deleted_at is null;`,
    );
    this.addSql(
      `create index "crm_ticket_routing_rules_fulltext" on "crm_core"."crm_ticket_routing_rules" using gin (to_tsvector('simple', search_text));`,
    );
    this.addSql(
      `create index "crm_ticket_routing_rules_trigram" on "crm_core"."crm_ticket_routing_rules" using gin (search_text gin_trgm_ops);`,
    );
    this.addSql(
      `create unique index "crm_ticket_routing_rules_name_unique" on "crm_core"."crm_ticket_routing_rules" ("organization_id", "name") where "deleted_at" is null;`,
    );

    this.addSql(
      `create table "crm_core"."crm_tickets" ("ticket_id" uuid not null, "organization_id" uuid not null, "number" int not null, "subject" varchar(300) not null, "description" text null, "requester_person_id" uuid not null, "account_id" uuid null, "channel" text not null, "category" varchar(100) null, "priority" text not null, "skills" text[] not null default '{}', "status" text not null, "stage" text not null, "sla" text null, "sla_policy_id" uuid null, "sla_policy_version" int null, "sla_terms" jsonb null, "routing_rule_id" uuid null, "routing_rule_version" int null, "team_id" uuid null, "assigned_user_id" uuid null, "assigned_at" timestamptz(3) null, "round" int not null default 0, "next_step" varchar(80) null, "next_due_at" timestamptz(3) null, "route_again_at" timestamptz(3) null, "opened_at" timestamptz(3) not null, "first_replied_at" timestamptz(3) null, "last_customer_message_at" timestamptz(3) null, "resolved_at" timestamptz(3) null, "closed_at" timestamptz(3) null, "reopen_count" int not null default 0, "merged_into_ticket_id" uuid null, "follow_up_of_ticket_id" uuid null, "policies_tried" jsonb null, "search_text" text generated always as (crm_core.fold(coalesce(subject, '') || ' ' || coalesce(description, ''))) stored null, "created_at" timestamptz(3) not null, "created_by" varchar(120) not null, "updated_at" timestamptz(3) not null, "updated_by" varchar(120) not null, "version" int not null default 1, "deleted_at" timestamptz(3) null, primary key ("ticket_id"));`,
    );
    this.addSql(
      `create index "crm_tickets_newest" on "crm_core"."crm_tickets" (organization_id, created_at desc, ticket_id desc) where deleted_at is null;`,
    );
    this.addSql(
      `create index "crm_tickets_assignee" on "crm_core"."crm_tickets" (organization_id, assigned_user_id, created_at desc, ticket_id desc) where deleted_at is null;`,
    );
    this.addSql(
      `create index "crm_tickets_team" on "crm_core"."crm_tickets" (organization_id, team_id, created_at desc, ticket_id desc) where deleted_at is null;`,
    );
    this.addSql(
      `create index "crm_tickets_stage" on "crm_core"."crm_tickets" (organization_id, stage, created_at desc, ticket_id desc) where deleted_at is null;`,
    );
    this.addSql(
      `create index "crm_tickets_status" on "crm_core"."crm_tickets" (organization_id, status, created_at desc, ticket_id desc) where deleted_at is null;`,
    );
    this.addSql(
      `create index "crm_tickets_account" on "crm_core"."crm_tickets" (organization_id, account_id, created_at desc, ticket_id desc) where deleted_at is null;`,
    );
    this.addSql(
      `create index "crm_tickets_requester" on "crm_core"."crm_tickets" (organization_id, requester_person_id, created_at desc, ticket_id desc) where deleted_at is null;`,
    );
    this.addSql(
      `create index "crm_tickets_sla" on "crm_core"."crm_tickets" (organization_id, sla, next_due_at) where stage in ('queued', 'assigned') and deleted_at is null;`,
    );
    this.addSql(
      `create index "crm_tickets_policy" on "crm_core"."crm_tickets" (organization_id, sla_policy_id) where stage in ('queued', 'assigned') and deleted_at is null;`,
    );
    this.addSql(
      `create index "crm_tickets_queued" on "crm_core"."crm_tickets" (organization_id, team_id, priority, opened_at) where stage = 'queued' and deleted_at is null;`,
    );
    this.addSql(
      `create index "crm_tickets_due" on "crm_core"."crm_tickets" (organization_id, next_due_at) where next_due_at is not null and deleted_at is null;`,
    );
    this.addSql(
      `create index "crm_tickets_opened" on "crm_core"."crm_tickets" (organization_id, opened_at desc, ticket_id desc) where deleted_at is null;`,
    );
    this.addSql(
      `create index "crm_tickets_fulltext" on "crm_core"."crm_tickets" using gin (to_tsvector('simple', search_text));`,
    );
    this.addSql(`create index "crm_tickets_trigram" on "crm_core"."crm_tickets" using gin (search_text gin_trgm_ops);`);
    this.addSql(
      `create unique index "crm_tickets_number_unique" on "crm_core"."crm_tickets" ("organization_id", "number") where "deleted_at" is null;`,
    );

    this.addSql(
      `create table "crm_core"."crm_ticket_assignments" ("ticket_assignment_id" uuid not null, "organization_id" uuid not null, "ticket_id" uuid not null, "round" int not null, "user_id" uuid null, "team_id" uuid null, "routing_rule_id" uuid null, "routing_rule_version" int null, "reason" varchar(300) not null, "over_capacity" boolean not null default false, "took_turn" boolean not null default false, "candidates" jsonb not null, "rules_tried" jsonb not null, "decided_at" timestamptz(3) not null, "created_at" timestamptz(3) not null, "created_by" varchar(120) not null, "updated_at" timestamptz(3) not null, "updated_by" varchar(120) not null, "version" int not null default 1, "deleted_at" timestamptz(3) null, primary key ("ticket_assignment_id"));`,
    );
    this.addSql(
      `create index "crm_ticket_assignments_newest" on "crm_core"."crm_ticket_assignments" (organization_id, created_at desc, ticket_assignment_id desc) where deleted_at is null;`,
    );
    this.addSql(
      `create index "crm_ticket_assignments_user_day" on "crm_core"."crm_ticket_assignments" (organization_id, user_id, decided_at desc);`,
    );
    this.addSql(
      `create unique index "crm_ticket_assignments_ticket_id_round_unique" on "crm_core"."crm_ticket_assignments" ("organization_id", "ticket_id", "round") where "deleted_at" is null;`,
    );

    this.addSql(
      `create table "crm_core"."crm_sla_clocks" ("sla_clock_id" uuid not null, "organization_id" uuid not null, "ticket_id" uuid not null, "target" text not null, "ordinal" int not null, "state" text not null, "breached" boolean not null default false, "priority" text not null, "target_minutes" int not null, "sla_policy_id" uuid not null, "sla_policy_version" int not null, "calendar_id" uuid null, "started_at" timestamptz(3) not null, "due_at" timestamptz(3) null, "intervals" jsonb not null, "changes" jsonb not null default '[]', "met_at" timestamptz(3) null, "breached_at" timestamptz(3) null, "breach_detected_at" timestamptz(3) null, "ended_at" timestamptz(3) null, "elapsed_minutes" double precision null, "life" int not null default 0, "created_at" timestamptz(3) not null, "created_by" varchar(120) not null, "updated_at" timestamptz(3) not null, "updated_by" varchar(120) not null, "version" int not null default 1, "deleted_at" timestamptz(3) null, primary key ("sla_clock_id"));`,
    );
    this.addSql(
      `create index "crm_sla_clocks_newest" on "crm_core"."crm_sla_clocks" (organization_id, created_at desc, sla_clock_id desc) where deleted_at is null;`,
    );
    this.addSql(
      `create index "crm_sla_clocks_due" on "crm_core"."crm_sla_clocks" (organization_id, due_at) where state = 'running' and deleted_at is null;`,
    );
    this.addSql(
      `create index "crm_sla_clocks_started" on "crm_core"."crm_sla_clocks" (organization_id, started_at) where deleted_at is null;`,
    );
    this.addSql(
      `create index "crm_sla_clocks_policy" on "crm_core"."crm_sla_clocks" (organization_id, sla_policy_id) where ended_at is null and deleted_at is null;`,
    );
    this.addSql(
      `create index "crm_sla_clocks_calendar" on "crm_core"."crm_sla_clocks" (organization_id, calendar_id) where ended_at is null and deleted_at is null;`,
    );
    this.addSql(
      `create unique index "crm_sla_clocks_ticket_id_target_ordinal_unique" on "crm_core"."crm_sla_clocks" ("organization_id", "ticket_id", "target", "ordinal") where "deleted_at" is null;`,
    );

    this.addSql(
      `create table "crm_core"."crm_ticket_steps" ("ticket_step_id" uuid not null, "organization_id" uuid not null, "ticket_id" uuid not null, "sla_clock_id" uuid null, "target" text null, "step" varchar(40) not null, "life" int not null, "due_at" timestamptz(3) not null, "detected_at" timestamptz(3) not null, "user_id" uuid null, "outcome" varchar(300) not null, "created_at" timestamptz(3) not null, "created_by" varchar(120) not null, "updated_at" timestamptz(3) not null, "updated_by" varchar(120) not null, "version" int not null default 1, "deleted_at" timestamptz(3) null, primary key ("ticket_step_id"));`,
    );
    this.addSql(
      `create index "crm_ticket_steps_newest" on "crm_core"."crm_ticket_steps" (organization_id, created_at desc, ticket_step_id desc) where deleted_at is null;`,
    );
    this.addSql(
      `create index "crm_ticket_steps_due" on "crm_core"."crm_ticket_steps" (organization_id, step, due_at desc);`,
    );
    this.addSql(
      `create unique index "crm_ticket_steps_ticket_id_sla_clock_id_step_life_unique" on "crm_core"."crm_ticket_steps" ("organization_id", "ticket_id", "sla_clock_id", "step", "life") where "deleted_at" is null;`,
    );

    this.addSql(
      `create table "crm_core"."crm_conversations" ("conversation_id" uuid not null, "organization_id" uuid not null, "ticket_id" uuid not null, "channel" text not null, "subject" varchar(300) not null, "message_count" int not null default 0, "last_message_at" timestamptz(3) null, "search_text" text generated always as (crm_core.fold(coalesce(subject, ''))) stored null, "created_at" timestamptz(3) not null, "created_by" varchar(120) not null, "updated_at" timestamptz(3) not null, "updated_by" varchar(120) not null, "version" int not null default 1, "deleted_at" timestamptz(3) null, primary key ("conversation_id"));`,
    );
    this.addSql(
      `create index "crm_conversations_newest" on "crm_core"."crm_conversations" (organization_id, created_at desc, conversation_id desc) where deleted_at is null;`,
    );
    this.addSql(
      `create index "crm_conversations_ticket" on "crm_core"."crm_conversations" (organization_id, ticket_id) where deleted_at is null;`,
    );
    this.addSql(
      `create index "crm_conversations_fulltext" on "crm_core"."crm_conversations" using gin (to_tsvector('simple', search_text));`,
    );
    this.addSql(
      `create index "crm_conversations_trigram" on "crm_core"."crm_conversations" using gin (search_text gin_trgm_ops);`,
    );

    this.addSql(
      `create table "crm_core"."crm_conversation_messages" ("conversation_message_id" uuid not null, "organization_id" uuid not null, "conversation_id" uuid not null, "ticket_id" uuid not null, "kind" text not null, "author_person_id" uuid null, "author_user_id" uuid null, "body" text not null, "body_html" text null, "message_id" varchar(500) null, "in_reply_to" varchar(500) null, "mail_references" jsonb not null default '[]', "sent_at" timestamptz(3) not null, "delivered_at" timestamptz(3) null, "addresses" jsonb null, "search_text" text generated always as (crm_core.fold(coalesce(body, ''))) stored null, "created_at" timestamptz(3) not null, "created_by" varchar(120) not null, "updated_at" timestamptz(3) not null, "updated_by" varchar(120) not null, "version" int not null default 1, "deleted_at" timestamptz(3) null, primary key ("conversation_message_id"));`,
    );
    this.addSql(
      `create index "crm_conversation_messages_newest" on "crm_core"."crm_conversation_messages" (organization_id, created_at desc, conversation_message_id desc) where deleted_at is null;`,
    );
    this.addSql(
      `create index "crm_conversation_messages_conversation" on "crm_core"."crm_conversation_messages" (organization_id, conversation_id, sent_at, conversation_message_id) where deleted_at is null;`,
    );
    this.addSql(
      `create index "crm_conversation_messages_ticket" on "crm_core"."crm_conversation_messages" (organization_id, ticket_id, sent_at, conversation_message_id) where deleted_at is null;`,
    );
    this.addSql(
      `create index "crm_conversation_messages_mail" on "crm_core"."crm_conversation_messages" (organization_id, message_id) where message_id is not null and deleted_at is null;`,
    );
    this.addSql(
      `create index "crm_conversation_messages_fulltext" on "crm_core"."crm_conversation_messages" using gin (to_tsvector('simple', search_text));`,
    );
    this.addSql(
      `create index "crm_conversation_messages_trigram" on "crm_core"."crm_conversation_messages" using gin (search_text gin_trgm_ops);`,
    );
    this.addSql(
      `create unique index "crm_conversation_messages_ticket_id_message_id_unique" on "crm_core"."crm_conversation_messages" ("organization_id", "ticket_id", "message_id") where "deleted_at" is null;`,
    );

    this.addSql(
      `create table "crm_core"."crm_attachments" ("attachment_id" uuid not null, "organization_id" uuid not null, "ticket_id" uuid not null, "conversation_message_id" uuid not null, "file_name" varchar(255) not null, "media_type" varchar(120) not null, "bytes" int not null, "sha256" varchar(64) not null, "inline" boolean not null default false, "search_text" text generated always as (crm_core.fold(coalesce(file_name, ''))) stored null, "created_at" timestamptz(3) not null, "created_by" varchar(120) not null, "updated_at" timestamptz(3) not null, "updated_by" varchar(120) not null, "version" int not null default 1, "deleted_at" timestamptz(3) null, primary key ("attachment_id"));`,
    );
    this.addSql(
      `create index "crm_attachments_newest" on "crm_core"."crm_attachments" (organization_id, created_at desc, attachment_id desc) where deleted_at is null;`,
    );
    this.addSql(
      `create index "crm_attachments_ticket" on "crm_core"."crm_attachments" (organization_id, ticket_id) where deleted_at is null;`,
    );
    this.addSql(
      `create index "crm_attachments_message" on "crm_core"."crm_attachments" (organization_id, conversation_message_id) where deleted_at is null;`,
    );
    this.addSql(
      `create index "crm_attachments_fulltext" on "crm_core"."crm_attachments" using gin (to_tsvector('simple', search_text));`,
    );
    this.addSql(
      `create index "crm_attachments_trigram" on "crm_core"."crm_attachments" using gin (search_text gin_trgm_ops);`,
    );

    this.addSql(`alter table "crm_core"."crm_external_refs" drop constraint "crm_external_refs_subject_type_check";`);
    this.addSql(
      `alter table "crm_core"."crm_external_refs" add constraint "crm_external_refs_subject_type_check" check ("subject_type" in ('lead', 'person', 'account', 'contact', 'task', 'activity', 'ticket', 'article', 'calendar', 'user', 'team', 'organization'));`,
    );

    this.addSql(`alter table "crm_core"."crm_merges" drop constraint "crm_merges_subject_type_check";`);
    this.addSql(
      `alter table "crm_core"."crm_merges" add constraint "crm_merges_subject_type_check" check ("subject_type" in ('lead', 'person', 'account', 'ticket'));`,
    );

    this.addSql(`alter table "crm_core"."crm_notes" drop constraint "crm_notes_subject_type_check";`);
    this.addSql(
      `alter table "crm_core"."crm_notes" add constraint "crm_notes_subject_type_check" check ("subject_type" in ('lead', 'person', 'account', 'contact', 'task', 'activity', 'ticket', 'article', 'calendar', 'user', 'team', 'organization'));`,
    );

    this.addSql(`alter table "crm_core"."core_organizations" add "last_ticket_number" int not null default 0;`);

    this.addSql(`alter table "crm_core"."crm_taggings" drop constraint "crm_taggings_subject_type_check";`);
    this.addSql(
      `alter table "crm_core"."crm_taggings" add constraint "crm_taggings_subject_type_check" check ("subject_type" in ('lead', 'person', 'account', 'contact', 'task', 'activity', 'ticket', 'article', 'calendar', 'user', 'team', 'organization'));`,
    );

    this.addSql(
      `alter table "crm_core"."crm_users" add "ticket_capacity" int not null default 25, add "open_tickets" int not null default 0;`,
    );

    this.addSql(`alter table "crm_core"."crm_tasks" drop constraint "crm_tasks_subject_type_check";`);
    this.addSql(
      `alter table "crm_core"."crm_tasks" add constraint "crm_tasks_subject_type_check" check ("subject_type" in ('lead', 'person', 'account', 'contact', 'task', 'activity', 'ticket', 'article', 'calendar', 'user', 'team', 'organization'));`,
    );

    this.addSql(`alter table "crm_core"."crm_activities" drop constraint "crm_activities_subject_type_check";`);
    this.addSql(
      `alter table "crm_core"."crm_activities" add constraint "crm_activities_subject_type_check" check ("subject_type" in ('lead', 'person', 'account', 'contact', 'task', 'activity', 'ticket', 'article', 'calendar', 'user', 'team', 'organization'));`,
    );

    this.addSql(
      `alter table "crm_core"."crm_articles" add constraint "crm_articles_status_check" check ("status" in ('draft', 'published', 'archived'));`,
    );
    this.addSql(`alter table "crm_core"."crm_articles" enable row level security;`);
    this.addSql(`alter table "crm_core"."crm_articles" force row level security;`);
    this.addSql(
      `create policy "crm_articles_organization" on "crm_core"."crm_articles" to "crm_app" using (organization_id = nullif(current_setting('crm.organization_id', true), '')::uuid) with check (organization_id = nullif(current_setting('crm.organization_id', true), '')::uuid);`,
    );
    this.addSql(
      `create policy "crm_articles_relay" on "crm_core"."crm_articles" to "crm_relay" using (true) with check (true);`,
    );

    this.addSql(
      `alter table "crm_core"."crm_sla_policies" add constraint "crm_sla_policies_calendar_id_foreign" foreign key ("calendar_id") references "crm_core"."crm_calendars" ("calendar_id") on delete no action;`,
    );
    this.addSql(`alter table "crm_core"."crm_sla_policies" enable row level security;`);
    this.addSql(`alter table "crm_core"."crm_sla_policies" force row level security;`);
    this.addSql(
      `create policy "crm_sla_policies_organization" on "crm_core"."crm_sla_policies" to "crm_app" using (organization_id = nullif(current_setting('crm.organization_id', true), '')::uuid) with check (organization_id = nullif(current_setting('crm.organization_id', true), '')::uuid);`,
    );
    this.addSql(
      `create policy "crm_sla_policies_relay" on "crm_core"."crm_sla_policies" to "crm_relay" using (true) with check (true);`,
    );

    this.addSql(
      `alter table "crm_core"."crm_ticket_routing_rules" add constraint "crm_ticket_routing_rules_team_id_foreign" foreign key ("team_id") references "crm_core"."crm_teams" ("team_id") on delete no action;`,
    );
    this.addSql(
      `alter table "crm_core"."crm_ticket_routing_rules" add constraint "crm_ticket_routing_rules_strategy_check" check ("strategy" in ('round_robin', 'least_loaded', 'weighted'));`,
    );
    this.addSql(`alter table "crm_core"."crm_ticket_routing_rules" enable row level security;`);
    this.addSql(`alter table "crm_core"."crm_ticket_routing_rules" force row level security;`);
    this.addSql(
      `create policy "crm_ticket_routing_rules_organization" on "crm_core"."crm_ticket_routing_rules" to "crm_app" using (organization_id = nullif(current_setting('crm.organization_id', true), '')::uuid) with check (organization_id = nullif(current_setting('crm.organization_id', true), '')::uuid);`,
    );
    this.addSql(
      `create policy "crm_ticket_routing_rules_relay" on "crm_core"."crm_ticket_routing_rules" to "crm_relay" using (true) with check (true);`,
    );

    this.addSql(
      `alter table "crm_core"."crm_tickets" add constraint "crm_tickets_requester_person_id_foreign" foreign key ("requester_person_id") references "crm_core"."crm_people" ("person_id") on delete no action;`,
    );
    this.addSql(
      `alter table "crm_core"."crm_tickets" add constraint "crm_tickets_account_id_foreign" foreign key ("account_id") references "crm_core"."crm_accounts" ("account_id") on delete no action;`,
    );
    this.addSql(
      `alter table "crm_core"."crm_tickets" add constraint "crm_tickets_sla_policy_id_foreign" foreign key ("sla_policy_id") references "crm_core"."crm_sla_policies" ("sla_policy_id") on delete no action;`,
    );
    this.addSql(
      `alter table "crm_core"."crm_tickets" add constraint "crm_tickets_routing_rule_id_foreign" foreign key ("routing_rule_id") references "crm_core"."crm_ticket_routing_rules" ("ticket_routing_rule_id") on delete no action;`,
    );
    this.addSql(
      `alter table "crm_core"."crm_tickets" add constraint "crm_tickets_team_id_foreign" foreign key ("team_id") references "crm_core"."crm_teams" ("team_id") on delete no action;`,
    );
    this.addSql(
      `alter table "crm_core"."crm_tickets" add constraint "crm_tickets_assigned_user_id_foreign" foreign key ("assigned_user_id") references "crm_core"."crm_users" ("user_id") on delete no action;`,
    );
    this.addSql(
      `alter table "crm_core"."crm_tickets" add constraint "crm_tickets_channel_check" check ("channel" in ('email', 'phone', 'chat', 'web', 'api'));`,
    );
    this.addSql(
      `alter table "crm_core"."crm_tickets" add constraint "crm_tickets_priority_check" check ("priority" in ('P1', 'P2', 'P3', 'P4'));`,
    );
    this.addSql(
      `alter table "crm_core"."crm_tickets" add constraint "crm_tickets_status_check" check ("status" in ('open', 'waiting_for_customer', 'on_hold', 'resolved', 'closed', 'merged'));`,
    );
    this.addSql(
      `alter table "crm_core"."crm_tickets" add constraint "crm_tickets_stage_check" check ("stage" in ('received', 'queued', 'assigned', 'resolved', 'closed', 'merged'));`,
    );
    this.addSql(
      `alter table "crm_core"."crm_tickets" add constraint "crm_tickets_sla_check" check ("sla" in ('on_track', 'warning', 'breached', 'paused', 'met'));`,
    );
    this.addSql(
      `create or replace function "crm_core"."crm_tickets_open_tickets_fn"() returns trigger as \$\$ begin if tg_op = 'UPDATE' and (old.stage in ('queued', 'assigned') and old.deleted_at is null) = (new.stage in ('queued', 'assigned') and new.deleted_at is null) and old.assigned_user_id is not distinct from new.assigned_user_id then return null; end if; if tg_op <> 'INSERT' then if (old.stage in ('queued', 'assigned') and old.deleted_at is null) then update crm_core.crm_users set open_tickets = open_tickets - 1 where user_id = old.assigned_user_id; end if; end if; if tg_op <> 'DELETE' then if (new.stage in ('queued', 'assigned') and new.deleted_at is null) then update crm_core.crm_users set open_tickets = open_tickets + 1 where user_id = new.assigned_user_id; end if; end if; return null; end; \$\$ language plpgsql;`,
    );
    this.addSql(
      `create trigger "open_tickets" AFTER INSERT OR UPDATE OR DELETE on "crm_core"."crm_tickets" for each ROW execute function "crm_core"."crm_tickets_open_tickets_fn"();`,
    );
    this.addSql(`alter table "crm_core"."crm_tickets" enable row level security;`);
    this.addSql(`alter table "crm_core"."crm_tickets" force row level security;`);
    this.addSql(
      `create policy "crm_tickets_organization" on "crm_core"."crm_tickets" to "crm_app" using (organization_id = nullif(current_setting('crm.organization_id', true), '')::uuid) with check (organization_id = nullif(current_setting('crm.organization_id', true), '')::uuid);`,
    );
    this.addSql(
      `create policy "crm_tickets_relay" on "crm_core"."crm_tickets" to "crm_relay" using (true) with check (true);`,
    );

    this.addSql(
      `alter table "crm_core"."crm_ticket_assignments" add constraint "crm_ticket_assignments_ticket_id_foreign" foreign key ("ticket_id") references "crm_core"."crm_tickets" ("ticket_id") on delete no action;`,
    );
    this.addSql(
      `alter table "crm_core"."crm_ticket_assignments" add constraint "crm_ticket_assignments_user_id_foreign" foreign key ("user_id") references "crm_core"."crm_users" ("user_id") on delete no action;`,
    );
    this.addSql(
      `alter table "crm_core"."crm_ticket_assignments" add constraint "crm_ticket_assignments_team_id_foreign" foreign key ("team_id") references "crm_core"."crm_teams" ("team_id") on delete no action;`,
    );
    this.addSql(
      `alter table "crm_core"."crm_ticket_assignments" add constraint "crm_ticket_assignments_routing_rule_id_foreign" foreign key ("routing_rule_id") references "crm_core"."crm_ticket_routing_rules" ("ticket_routing_rule_id") on delete no action;`,
    );
    this.addSql(`alter table "crm_core"."crm_ticket_assignments" enable row level security;`);
    this.addSql(`alter table "crm_core"."crm_ticket_assignments" force row level security;`);
    this.addSql(
      `create policy "crm_ticket_assignments_organization" on "crm_core"."crm_ticket_assignments" to "crm_app" using (organization_id = nullif(current_setting('crm.organization_id', true), '')::uuid) with check (organization_id = nullif(current_setting('crm.organization_id', true), '')::uuid);`,
    );
    this.addSql(
      `create policy "crm_ticket_assignments_relay" on "crm_core"."crm_ticket_assignments" to "crm_relay" using (true) with check (true);`,
    );

    this.addSql(
      `alter table "crm_core"."crm_sla_clocks" add constraint "crm_sla_clocks_ticket_id_foreign" foreign key ("ticket_id") references "crm_core"."crm_tickets" ("ticket_id") on delete no action;`,
    );
    this.addSql(
      `alter table "crm_core"."crm_sla_clocks" add constraint "crm_sla_clocks_sla_policy_id_foreign" foreign key ("sla_policy_id") references "crm_core"."crm_sla_policies" ("sla_policy_id") on delete no action;`,
    );
    this.addSql(
      `alter table "crm_core"."crm_sla_clocks" add constraint "crm_sla_clocks_calendar_id_foreign" foreign key ("calendar_id") references "crm_core"."crm_calendars" ("calendar_id") on delete no action;`,
    );
    this.addSql(
      `alter table "crm_core"."crm_sla_clocks" add constraint "crm_sla_clocks_target_check" check ("target" in ('first_response', 'next_response', 'resolution'));`,
    );
    this.addSql(
      `alter table "crm_core"."crm_sla_clocks" add constraint "crm_sla_clocks_state_check" check ("state" in ('running', 'paused', 'met', 'breached', 'cancelled'));`,
    );
    this.addSql(
      `alter table "crm_core"."crm_sla_clocks" add constraint "crm_sla_clocks_priority_check" check ("priority" in ('P1', 'P2', 'P3', 'P4'));`,
    );
    this.addSql(`alter table "crm_core"."crm_sla_clocks" enable row level security;`);
    this.addSql(`alter table "crm_core"."crm_sla_clocks" force row level security;`);
    this.addSql(
      `create policy "crm_sla_clocks_organization" on "crm_core"."crm_sla_clocks" to "crm_app" using (organization_id = nullif(current_setting('crm.organization_id', true), '')::uuid) with check (organization_id = nullif(current_setting('crm.organization_id', true), '')::uuid);`,
    );
    this.addSql(
      `create policy "crm_sla_clocks_relay" on "crm_core"."crm_sla_clocks" to "crm_relay" using (true) with check (true);`,
    );

    this.addSql(
      `alter table "crm_core"."crm_ticket_steps" add constraint "crm_ticket_steps_ticket_id_foreign" foreign key ("ticket_id") references "crm_core"."crm_tickets" ("ticket_id") on delete no action;`,
    );
    this.addSql(
      `alter table "crm_core"."crm_ticket_steps" add constraint "crm_ticket_steps_sla_clock_id_foreign" foreign key ("sla_clock_id") references "crm_core"."crm_sla_clocks" ("sla_clock_id") on delete no action;`,
    );
    this.addSql(
      `alter table "crm_core"."crm_ticket_steps" add constraint "crm_ticket_steps_user_id_foreign" foreign key ("user_id") references "crm_core"."crm_users" ("user_id") on delete no action;`,
    );
    this.addSql(
      `alter table "crm_core"."crm_ticket_steps" add constraint "crm_ticket_steps_target_check" check ("target" in ('first_response', 'next_response', 'resolution'));`,
    );
    this.addSql(`alter table "crm_core"."crm_ticket_steps" enable row level security;`);
    this.addSql(`alter table "crm_core"."crm_ticket_steps" force row level security;`);
    this.addSql(
      `create policy "crm_ticket_steps_organization" on "crm_core"."crm_ticket_steps" to "crm_app" using (organization_id = nullif(current_setting('crm.organization_id', true), '')::uuid) with check (organization_id = nullif(current_setting('crm.organization_id', true), '')::uuid);`,
    );
    this.addSql(
      `create policy "crm_ticket_steps_relay" on "crm_core"."crm_ticket_steps" to "crm_relay" using (true) with check (true);`,
    );

    this.addSql(
      `alter table "crm_core"."crm_conversations" add constraint "crm_conversations_ticket_id_foreign" foreign key ("ticket_id") references "crm_core"."crm_tickets" ("ticket_id") on delete no action;`,
    );
    this.addSql(
      `alter table "crm_core"."crm_conversations" add constraint "crm_conversations_channel_check" check ("channel" in ('email', 'phone', 'chat', 'web', 'api'));`,
    );
    this.addSql(`alter table "crm_core"."crm_conversations" enable row level security;`);
    this.addSql(`alter table "crm_core"."crm_conversations" force row level security;`);
    this.addSql(
      `create policy "crm_conversations_organization" on "crm_core"."crm_conversations" to "crm_app" using (organization_id = nullif(current_setting('crm.organization_id', true), '')::uuid) with check (organization_id = nullif(current_setting('crm.organization_id', true), '')::uuid);`,
    );
    this.addSql(
      `create policy "crm_conversations_relay" on "crm_core"."crm_conversations" to "crm_relay" using (true) with check (true);`,
    );

    this.addSql(
      `alter table "crm_core"."crm_conversation_messages" add constraint "crm_conversation_messages_conversation_id_foreign" foreign key ("conversation_id") references "crm_core"."crm_conversations" ("conversation_id") on delete no action;`,
    );
    this.addSql(
      `alter table "crm_core"."crm_conversation_messages" add constraint "crm_conversation_messages_ticket_id_foreign" foreign key ("ticket_id") references "crm_core"."crm_tickets" ("ticket_id") on delete no action;`,
    );
    this.addSql(
      `alter table "crm_core"."crm_conversation_messages" add constraint "crm_conversation_messages_author_person_id_foreign" foreign key ("author_person_id") references "crm_core"."crm_people" ("person_id") on delete no action;`,
    );
    this.addSql(
      `alter table "crm_core"."crm_conversation_messages" add constraint "crm_conversation_messages_author_user_id_foreign" foreign key ("author_user_id") references "crm_core"."crm_users" ("user_id") on delete no action;`,
    );
    this.addSql(
      `alter table "crm_core"."crm_conversation_messages" add constraint "crm_conversation_messages_kind_check" check ("kind" in ('customer', 'reply', 'note'));`,
    );
    this.addSql(`alter table "crm_core"."crm_conversation_messages" enable row level security;`);
    this.addSql(`alter table "crm_core"."crm_conversation_messages" force row level security;`);
    this.addSql(
      `create policy "crm_conversation_messages_organization" on "crm_core"."crm_conversation_messages" to "crm_app" using (organization_id = nullif(current_setting('crm.organization_id', true), '')::uuid) with check (organization_id = nullif(current_setting('crm.organization_id', true), '')::uuid);`,
    );
    this.addSql(
      `create policy "crm_conversation_messages_relay" on "crm_core"."crm_conversation_messages" to "crm_relay" using (true) with check (true);`,
    );

    this.addSql(
      `alter table "crm_core"."crm_attachments" add constraint "crm_attachments_ticket_id_foreign" foreign key ("ticket_id") references "crm_core"."crm_tickets" ("ticket_id") on delete no action;`,
    );
    this.addSql(
      `alter table "crm_core"."crm_attachments" add constraint "crm_attachments_conversation_message_id_foreign" foreign key ("conversation_message_id") references "crm_core"."crm_conversation_messages" ("conversation_message_id") on delete no action;`,
    );
    this.addSql(`alter table "crm_core"."crm_attachments" enable row level security;`);
    this.addSql(`alter table "crm_core"."crm_attachments" force row level security;`);
    this.addSql(
      `create policy "crm_attachments_organization" on "crm_core"."crm_attachments" to "crm_app" using (organization_id = nullif(current_setting('crm.organization_id', true), '')::uuid) with check (organization_id = nullif(current_setting('crm.organization_id', true), '')::uuid);`,
    );
    this.addSql(
      `create policy "crm_attachments_relay" on "crm_core"."crm_attachments" to "crm_relay" using (true) with check (true);`,
    );
  }

  override down(): void | Promise<void> {
    // What hangs on tickets and articles goes with them. The owner is under row-level security; the relay's role is not.
    this.addSql('set local role crm_relay;');
    for (const table of ['activities', 'external_refs', 'merges', 'notes', 'taggings', 'tasks']) {
      this.addSql(`delete from crm_core.crm_${table} where subject_type in ('ticket', 'article');`);
    }
    this.addSql('reset role;');

    this.addSql(`alter table "crm_core"."crm_tickets" drop constraint "crm_tickets_sla_policy_id_foreign";`);
    this.addSql(`alter table "crm_core"."crm_sla_clocks" drop constraint "crm_sla_clocks_sla_policy_id_foreign";`);
    this.addSql(`alter table "crm_core"."crm_tickets" drop constraint "crm_tickets_routing_rule_id_foreign";`);
    this.addSql(
      `alter table "crm_core"."crm_ticket_assignments" drop constraint "crm_ticket_assignments_routing_rule_id_foreign";`,
    );
    this.addSql(
      `alter table "crm_core"."crm_ticket_assignments" drop constraint "crm_ticket_assignments_ticket_id_foreign";`,
    );
    this.addSql(`alter table "crm_core"."crm_sla_clocks" drop constraint "crm_sla_clocks_ticket_id_foreign";`);
    this.addSql(`alter table "crm_core"."crm_ticket_steps" drop constraint "crm_ticket_steps_ticket_id_foreign";`);
    this.addSql(`alter table "crm_core"."crm_conversations" drop constraint "crm_conversations_ticket_id_foreign";`);
    this.addSql(
      `alter table "crm_core"."crm_conversation_messages" drop constraint "crm_conversation_messages_ticket_id_foreign";`,
    );
    this.addSql(`alter table "crm_core"."crm_attachments" drop constraint "crm_attachments_ticket_id_foreign";`);
    this.addSql(`alter table "crm_core"."crm_ticket_steps" drop constraint "crm_ticket_steps_sla_clock_id_foreign";`);
    this.addSql(
      `alter table "crm_core"."crm_conversation_messages" drop constraint "crm_conversation_messages_conversation_id_foreign";`,
    );
    this.addSql(
      `alter table "crm_core"."crm_attachments" drop constraint "crm_attachments_conversation_message_id_foreign";`,
    );

    this.addSql(`drop table if exists "crm_core"."crm_articles" cascade;`);
    this.addSql(`drop table if exists "crm_core"."crm_sla_policies" cascade;`);
    this.addSql(`drop table if exists "crm_core"."crm_ticket_routing_rules" cascade;`);
    this.addSql(`drop trigger if exists "open_tickets" on "crm_core"."crm_tickets";`);
    this.addSql(`drop function if exists "crm_core"."crm_tickets_open_tickets_fn"();`);
    this.addSql(`drop table if exists "crm_core"."crm_tickets" cascade;`);
    this.addSql(`drop table if exists "crm_core"."crm_ticket_assignments" cascade;`);
    this.addSql(`drop table if exists "crm_core"."crm_sla_clocks" cascade;`);
    this.addSql(`drop table if exists "crm_core"."crm_ticket_steps" cascade;`);
    this.addSql(`drop table if exists "crm_core"."crm_conversations" cascade;`);
    this.addSql(`drop table if exists "crm_core"."crm_conversation_messages" cascade;`);
    this.addSql(`drop table if exists "crm_core"."crm_attachments" cascade;`);

    this.addSql(`alter table "crm_core"."core_organizations" drop column "last_ticket_number";`);

    this.addSql(`alter table "crm_core"."crm_activities" drop constraint "crm_activities_subject_type_check";`);
    this.addSql(
      `alter table "crm_core"."crm_activities" add constraint "crm_activities_subject_type_check" check ("subject_type" in ('lead', 'person', 'account', 'contact', 'task', 'activity', 'calendar', 'user', 'team', 'organization'));`,
    );

    this.addSql(`alter table "crm_core"."crm_external_refs" drop constraint "crm_external_refs_subject_type_check";`);
    this.addSql(
      `alter table "crm_core"."crm_external_refs" add constraint "crm_external_refs_subject_type_check" check ("subject_type" in ('lead', 'person', 'account', 'contact', 'task', 'activity', 'calendar', 'user', 'team', 'organization'));`,
    );

    this.addSql(`alter table "crm_core"."crm_merges" drop constraint "crm_merges_subject_type_check";`);
    this.addSql(
      `alter table "crm_core"."crm_merges" add constraint "crm_merges_subject_type_check" check ("subject_type" in ('lead', 'person', 'account'));`,
    );

    this.addSql(`alter table "crm_core"."crm_notes" drop constraint "crm_notes_subject_type_check";`);
    this.addSql(
      `alter table "crm_core"."crm_notes" add constraint "crm_notes_subject_type_check" check ("subject_type" in ('lead', 'person', 'account', 'contact', 'task', 'activity', 'calendar', 'user', 'team', 'organization'));`,
    );

    this.addSql(`alter table "crm_core"."crm_taggings" drop constraint "crm_taggings_subject_type_check";`);
    this.addSql(
      `alter table "crm_core"."crm_taggings" add constraint "crm_taggings_subject_type_check" check ("subject_type" in ('lead', 'person', 'account', 'contact', 'task', 'activity', 'calendar', 'user', 'team', 'organization'));`,
    );

    this.addSql(`alter table "crm_core"."crm_tasks" drop constraint "crm_tasks_subject_type_check";`);
    this.addSql(
      `alter table "crm_core"."crm_tasks" add constraint "crm_tasks_subject_type_check" check ("subject_type" in ('lead', 'person', 'account', 'contact', 'task', 'activity', 'calendar', 'user', 'team', 'organization'));`,
    );

    this.addSql(`alter table "crm_core"."crm_users" drop column "ticket_capacity", drop column "open_tickets";`);
  }
}
