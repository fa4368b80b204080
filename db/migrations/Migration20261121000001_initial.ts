import { Migration } from '@mikro-orm/migrations';

export class Migration20261121000001_initial extends Migration {
  override name = 'Migration20261121000001_initial';

  override up(): void | Promise<void> {
    this.addSql(
      `create table "crm_core"."core_audit_events" ("audit_event_id" uuid not null, "organization_id" uuid not null, "kind" text not null, "actor" varchar(120) not null, "route" varchar(200) not null, "request_id" varchar(100) null, "happened_at" timestamptz(3) not null, "created_at" timestamptz(3) not null, "created_by" varchar(120) not null, "updated_at" timestamptz(3) not null, "updated_by" varchar(120) not null, "version" int not null default 1, "deleted_at" timestamptz(3) null, primary key ("audit_event_id"));`,
    );
    this.addSql(
      `create index "core_audit_events_newest" on "crm_core"."core_audit_events" (organization_id, created_at desc, audit_event_id desc) where deleted_at is null;`,
    );
    this.addSql(
      `create index "core_audit_events_actor" on "crm_core"."core_audit_events" (organization_id, actor, happened_at desc);`,
    );

    this.addSql(
      `create table "crm_core"."crm_auditlog" ("audit_id" uuid not null, "organization_id" uuid not null, "subject_type" varchar(40) not null, "subject_id" uuid not null, "subject_version" int not null, "field" varchar(80) not null, "value_before" jsonb null, "value_after" jsonb null, "actor" varchar(120) not null, "command_id" uuid null, "happened_at" timestamptz(3) not null, "created_at" timestamptz(3) not null, "created_by" varchar(120) not null, "updated_at" timestamptz(3) not null, "updated_by" varchar(120) not null, "version" int not null default 1, "deleted_at" timestamptz(3) null, primary key ("audit_id"));`,
    );
    this.addSql(
      `create index "crm_auditlog_newest" on "crm_core"."crm_auditlog" (organization_id, created_at desc, audit_id desc) where deleted_at is null;`,
    );
    this.addSql(
      `create index "crm_auditlog_subject" on "crm_core"."crm_auditlog" (organization_id, subject_id, happened_at desc, audit_id desc);`,
    );

    this.addSql(
      `create table "crm_core"."crm_calendars" ("calendar_id" uuid not null, "organization_id" uuid not null, "name" varchar(120) not null, "time_zone" varchar(64) not null, "hours" jsonb not null, "holidays" jsonb not null default '[]', "exceptions" jsonb not null default '[]', "search_text" text generated always as (crm_core.fold(coalesce(name, ''))) stored null, "created_at" timestamptz(3) not null, "created_by" varchar(120) not null, "updated_at" timestamptz(3) not null, "updated_by" varchar(120) not null, "version" int not null default 1, "deleted_at" timestamptz(3) null, primary key ("calendar_id"));`,
    );
    this.addSql(
      `create index "crm_calendars_newest" on "crm_core"."crm_calendars" (organization_id, created_at desc, calendar_id desc) where deleted_at is null;`,
    );
    this.addSql(
      `create index "crm_calendars_fulltext" on "crm_core"."crm_calendars" using gin (to_tsvector('simple', search_text));`,
    );
    this.addSql(
      `create index "crm_calendars_trigram" on "crm_core"."crm_calendars" using gin (search_text gin_trgm_ops);`,
    );
    this.addSql(
      `create unique index "crm_calendars_name_unique" on "crm_core"."crm_calendars" ("organization_id", "name") where "deleted_at" is null;`,
    );

    this.addSql(
      `create table "crm_core"."crm_commands" ("command_id" uuid not null, "organization_id" uuid not null, "principal" varchar(120) not null, "route" varchar(200) not null, "idempotency_key" varchar(255) not null, "request_hash" varchar(64) not null, "state" text not null, "message" varchar(60) null, "process" varchar(40) null, "record_id" uuid null, "body" jsonb null, "actor" jsonb not null, "received_at" timestamptz(3) not null, "lease_until" timestamptz(3) null, "attempts" int not null default 0, "last_failure" varchar(500) null, "answered_at" timestamptz(3) null, "answer_status" int null, "answer" jsonb null, "created_at" timestamptz(3) not null, "created_by" varchar(120) not null, "updated_at" timestamptz(3) not null, "updated_by" varchar(120) not null, "version" int not null default 1, "deleted_at" timestamptz(3) null, primary key ("command_id"));`,
    );
    this.addSql(
      `create index "crm_commands_newest" on "crm_core"."crm_commands" (organization_id, created_at desc, command_id desc) where deleted_at is null;`,
    );
    this.addSql(
      `create index "crm_commands_record" on "crm_core"."crm_commands" (organization_id, record_id, received_at);`,
    );
    this.addSql(
      `create index "crm_commands_owed" on "crm_core"."crm_commands" (organization_id, lease_until) where state = 'received';`,
    );
    this.addSql(
      `create unique index "crm_commands_principal_route_idempotency_key_unique" on "crm_core"."crm_commands" ("organization_id", "principal", "route", "idempotency_key") where "deleted_at" is null;`,
    );

    this.addSql(
      `create table "crm_core"."crm_external_refs" ("external_ref_id" uuid not null, "organization_id" uuid not null, "subject_type" text not null, "subject_id" uuid not null, "system" varchar(60) not null, "external_id" varchar(200) not null, "url" varchar(500) null, "created_at" timestamptz(3) not null, "created_by" varchar(120) not null, "updated_at" timestamptz(3) not null, "updated_by" varchar(120) not null, "version" int not null default 1, "deleted_at" timestamptz(3) null, primary key ("external_ref_id"));`,
    );
    this.addSql(
      `create index "crm_external_refs_newest" on "crm_core"."crm_external_refs" (organization_id, created_at desc, external_ref_id desc) where deleted_at is null;`,
    );
    this.addSql(
      `create index "crm_external_refs_external" on "crm_core"."crm_external_refs" (organization_id, system, external_id) where deleted_at is null;`,
    );
    this.addSql(
      `create unique index "crm_external_refs_system_external_id_subject_id_unique" on "crm_core"."crm_external_refs" ("organization_id", "system", "external_id", "subject_id") where "deleted_at" is null;`,
    );

    this.addSql(
      `create table "crm_core"."crm_feature_flags" ("feature_flag_id" uuid not null, "organization_id" uuid not null, "name" varchar(80) not null, "enabled" boolean not null default true, "description" varchar(300) null, "created_at" timestamptz(3) not null, "created_by" varchar(120) not null, "updated_at" timestamptz(3) not null, "updated_by" varchar(120) not null, "version" int not null default 1, "deleted_at" timestamptz(3) null, primary key ("feature_flag_id"));`,
    );
    this.addSql(
      `create index "crm_feature_flags_newest" on "crm_core"."crm_feature_flags" (organization_id, created_at desc, feature_flag_id desc) where deleted_at is null;`,
    );
    this.addSql(
      `create unique index "crm_feature_flags_name_unique" on "crm_core"."crm_feature_flags" ("organization_id", "name") where "deleted_at" is null;`,
    );

    this.addSql(
      `create table "crm_core"."core_users" ("user_id" uuid not null, "organization_id" uuid not null, "email" varchar(320) not null, "full_name" varchar(200) not null, "subject" varchar(200) null, "status" text not null default 'active', "search_text" text generated always as (crm_core.fold(coalesce(full_name, '') || ' ' || coalesce(email, ''))) stored null, "created_at" timestamptz(3) not null, "created_by" varchar(120) not null, "updated_at" timestamptz(3) not null, "updated_by" varchar(120) not null, "version" int not null default 1, "deleted_at" timestamptz(3) null, primary key ("user_id"));`,
    );
    this.addSql(
      `create index "core_users_newest" on "crm_core"."core_users" (organization_id, created_at desc, user_id desc) where deleted_at is null;`,
    );
    this.addSql(
      `create index "core_users_fulltext" on "crm_core"."core_users" using gin (to_tsvector('simple', search_text));`,
    );
    this.addSql(`create index "core_users_trigram" on "crm_core"."core_users" using gin (search_text gin_trgm_ops);`);
    this.addSql(
      `create unique index "core_users_email_unique" on "crm_core"."core_users" ("organization_id", "email") where "deleted_at" is null;`,
    );

    this.addSql(
      `create table "crm_core"."crm_merges" ("merge_id" uuid not null, "organization_id" uuid not null, "subject_type" text not null, "survivor_id" uuid not null, "merged_id" uuid not null, "evidence" jsonb not null, "merged_at" timestamptz(3) not null, "undone_at" timestamptz(3) null, "created_at" timestamptz(3) not null, "created_by" varchar(120) not null, "updated_at" timestamptz(3) not null, "updated_by" varchar(120) not null, "version" int not null default 1, "deleted_at" timestamptz(3) null, primary key ("merge_id"));`,
    );
    this.addSql(
      `create index "crm_merges_newest" on "crm_core"."crm_merges" (organization_id, created_at desc, merge_id desc) where deleted_at is null;`,
    );
    this.addSql(`create index "crm_merges_survivor" on "crm_core"."crm_merges" (organization_id, survivor_id);`);
    this.addSql(`create index "crm_merges_merged" on "crm_core"."crm_merges" (organization_id, merged_id);`);

    this.addSql(
      `create table "crm_core"."crm_notes" ("note_id" uuid not null, "organization_id" uuid not null, "subject_type" text not null, "subject_id" uuid not null, "body" text not null, "pinned" boolean not null default false, "search_text" text generated always as (crm_core.fold(coalesce(body, ''))) stored null, "created_at" timestamptz(3) not null, "created_by" varchar(120) not null, "updated_at" timestamptz(3) not null, "updated_by" varchar(120) not null, "version" int not null default 1, "deleted_at" timestamptz(3) null, primary key ("note_id"));`,
    );
    this.addSql(
      `create index "crm_notes_newest" on "crm_core"."crm_notes" (organization_id, created_at desc, note_id desc) where deleted_at is null;`,
    );
    this.addSql(
      `create index "crm_notes_subject" on "crm_core"."crm_notes" (organization_id, subject_id, created_at desc) where deleted_at is null;`,
    );
    this.addSql(
      `create index "crm_notes_fulltext" on "crm_core"."crm_notes" using gin (to_tsvector('simple', search_text));`,
    );
    this.addSql(`create index "crm_notes_trigram" on "crm_core"."crm_notes" using gin (search_text gin_trgm_ops);`);

    this.addSql(
      `create table "crm_core"."core_organizations" ("organization_id" uuid not null, "slug" varchar(60) not null, "name" varchar(200) not null, "default_region" varchar(2) not null default 'DE', "fallback_user_id" uuid null, "calendar_id" uuid null, "created_at" timestamptz(3) not null, "created_by" varchar(120) not null, "updated_at" timestamptz(3) not null, "updated_by" varchar(120) not null, "version" int not null default 1, "deleted_at" timestamptz(3) null, primary key ("organization_id"));`,
    );
    this.addSql(
      `create index "core_organizations_newest" on "crm_core"."core_organizations" (organization_id, created_at desc, organization_id desc) where deleted_at is null;`,
    );
    this.addSql(
      `create unique index "core_organizations_slug_unique" on "crm_core"."core_organizations" ("slug") where "deleted_at" is null;`,
    );

    this.addSql(
      `create table "crm_core"."crm_outbox" ("event_id" uuid not null, "organization_id" uuid not null, "kind" varchar(80) not null, "subject_type" varchar(40) not null, "subject_id" uuid not null, "payload" jsonb not null, "occurred_at" timestamptz(3) not null, "batch_id" uuid null, "claimed_at" timestamptz(3) null, "attempts" int not null default 0, "last_failure" varchar(500) null, "delivered_at" timestamptz(3) null, "created_at" timestamptz(3) not null, "created_by" varchar(120) not null, "updated_at" timestamptz(3) not null, "updated_by" varchar(120) not null, "version" int not null default 1, "deleted_at" timestamptz(3) null, primary key ("event_id"));`,
    );
    this.addSql(
      `create index "crm_outbox_newest" on "crm_core"."crm_outbox" (organization_id, created_at desc, event_id desc) where deleted_at is null;`,
    );
    this.addSql(
      `create index "crm_outbox_undelivered" on "crm_core"."crm_outbox" (organization_id, occurred_at) where delivered_at is null;`,
    );
    this.addSql(
      `create index "crm_outbox_batch" on "crm_core"."crm_outbox" (organization_id, batch_id) where delivered_at is null;`,
    );

    this.addSql(
      `create table "crm_core"."crm_people" ("person_id" uuid not null, "organization_id" uuid not null, "full_name" varchar(200) not null, "normalized_name" varchar(200) null, "primary_email" varchar(254) null, "primary_phone" varchar(16) null, "email_status" text not null default 'unknown', "linkedin_url" varchar(500) null, "persona_labels" text[] not null default '{}', "source_confidence" double precision null, "country" varchar(2) null, "consent" jsonb null, "search_text" text generated always as (crm_core.fold(coalesce(full_name, '') || ' ' || coalesce(primary_email, '') || ' ' || coalesce(primary_phone, ''))) stored null, "created_at" timestamptz(3) not null, "created_by" varchar(120) not null, "updated_at" timestamptz(3) not null, "updated_by" varchar(120) not null, "version" int not null default 1, "deleted_at" timestamptz(3) null, primary key ("person_id"));`,
    );
    this.addSql(
      `create index "crm_people_newest" on "crm_core"."crm_people" (organization_id, created_at desc, person_id desc) where deleted_at is null;`,
    );
    this.addSql(
      `create index "crm_people_email" on "crm_core"."crm_people" (organization_id, primary_email) where deleted_at is null;`,
    );
    this.addSql(
      `create index "crm_people_phone" on "crm_core"."crm_people" (organization_id, primary_phone) where deleted_at is null;`,
    );
    this.addSql(
      `create index "crm_people_normalized_name" on "crm_core"."crm_people" (organization_id, normalized_name) where deleted_at is null;`,
    );
    this.addSql(
      `create index "crm_people_fulltext" on "crm_core"."crm_people" using gin (to_tsvector('simple', search_text));`,
    );
    this.addSql(`create index "crm_people_trigram" on "crm_core"."crm_people" using gin (search_text gin_trgm_ops);`);

    this.addSql(
      `create table "crm_core"."core_roles" ("role_id" uuid not null, "organization_id" uuid not null, "name" text not null, "title" varchar(120) not null, "created_at" timestamptz(3) not null, "created_by" varchar(120) not null, "updated_at" timestamptz(3) not null, "updated_by" varchar(120) not null, "version" int not null default 1, "deleted_at" timestamptz(3) null, primary key ("role_id"));`,
    );
    this.addSql(
      `create index "core_roles_newest" on "crm_core"."core_roles" (organization_id, created_at desc, role_id desc) where deleted_at is null;`,
    );
    this.addSql(
      `create unique index "core_roles_name_unique" on "crm_core"."core_roles" ("organization_id", "name") where "deleted_at" is null;`,
    );

    this.addSql(
      `create table "crm_core"."core_permissions" ("permission_id" uuid not null, "organization_id" uuid not null, "role_id" uuid not null, "name" varchar(80) not null, "scope" text not null, "created_at" timestamptz(3) not null, "created_by" varchar(120) not null, "updated_at" timestamptz(3) not null, "updated_by" varchar(120) not null, "version" int not null default 1, "deleted_at" timestamptz(3) null, primary key ("permission_id"));`,
    );
    this.addSql(
      `create index "core_permissions_newest" on "crm_core"."core_permissions" (organization_id, created_at desc, permission_id desc) where deleted_at is null;`,
    );
    this.addSql(
      `create unique index "core_permissions_role_id_name_unique" on "crm_core"."core_permissions" ("organization_id", "role_id", "name") where "deleted_at" is null;`,
    );

    this.addSql(
      `create table "crm_core"."crm_scoring_models" ("scoring_model_id" uuid not null, "organization_id" uuid not null, "name" varchar(120) not null, "active" boolean not null default true, "fit_weight" double precision not null, "engagement_weight" double precision not null, "fit" jsonb not null, "engagement" jsonb not null, "bands" jsonb not null, "search_text" text generated always as (crm_core.fold(coalesce(name, ''))) stored null, "created_at" timestamptz(3) not null, "created_by" varchar(120) not null, "updated_at" timestamptz(3) not null, "updated_by" varchar(120) not null, "version" int not null default 1, "deleted_at" timestamptz(3) null, primary key ("scoring_model_id"));`,
    );
    this.addSql(
      `create index "crm_scoring_models_newest" on "crm_core"."crm_scoring_models" (organization_id, created_at desc, scoring_model_id desc) where deleted_at is null;`,
    );
    this.addSql(
      `create index "crm_scoring_models_fulltext" on "crm_core"."crm_scoring_models" using gin (to_tsvector('simple', search_text));`,
    );
    this.addSql(
      `create index "crm_scoring_models_trigram" on "crm_core"."crm_scoring_models" using gin (search_text gin_trgm_ops);`,
    );
    this.addSql(
      `create unique index "crm_scoring_models_name_unique" on "crm_core"."crm_scoring_models" ("organization_id", "name") where "deleted_at" is null;`,
    );

    this.addSql(
      `create table "crm_core"."core_sessions" ("session_id" uuid not null, "organization_id" uuid not null, "user_id" uuid not null, "token_id" varchar(200) not null, "issued_at" timestamptz(3) null, "expires_at" timestamptz(3) not null, "last_seen_at" timestamptz(3) not null, "created_at" timestamptz(3) not null, "created_by" varchar(120) not null, "updated_at" timestamptz(3) not null, "updated_by" varchar(120) not null, "version" int not null default 1, "deleted_at" timestamptz(3) null, primary key ("session_id"));`,
    );
    this.addSql(
      `create index "core_sessions_newest" on "crm_core"."core_sessions" (organization_id, created_at desc, session_id desc) where deleted_at is null;`,
    );
    this.addSql(
      `create index "core_sessions_user" on "crm_core"."core_sessions" (organization_id, user_id, last_seen_at desc);`,
    );
    this.addSql(
      `create unique index "core_sessions_token_id_unique" on "crm_core"."core_sessions" ("organization_id", "token_id") where "deleted_at" is null;`,
    );

    this.addSql(
      `create table "crm_core"."crm_tags" ("tag_id" uuid not null, "organization_id" uuid not null, "name" varchar(60) not null, "colour" varchar(7) null, "search_text" text generated always as (crm_core.fold(coalesce(name, ''))) stored null, "created_at" timestamptz(3) not null, "created_by" varchar(120) not null, "updated_at" timestamptz(3) not null, "updated_by" varchar(120) not null, "version" int not null default 1, "deleted_at" timestamptz(3) null, primary key ("tag_id"));`,
    );
    this.addSql(
      `create index "crm_tags_newest" on "crm_core"."crm_tags" (organization_id, created_at desc, tag_id desc) where deleted_at is null;`,
    );
    this.addSql(
      `create index "crm_tags_fulltext" on "crm_core"."crm_tags" using gin (to_tsvector('simple', search_text));`,
    );
    this.addSql(`create index "crm_tags_trigram" on "crm_core"."crm_tags" using gin (search_text gin_trgm_ops);`);
    this.addSql(
      `create unique index "crm_tags_name_unique" on "crm_core"."crm_tags" ("organization_id", "name") where "deleted_at" is null;`,
    );

    this.addSql(
      `create table "crm_core"."crm_taggings" ("tagging_id" uuid not null, "organization_id" uuid not null, "tag_id" uuid not null, "subject_type" text not null, "subject_id" uuid not null, "created_at" timestamptz(3) not null, "created_by" varchar(120) not null, "updated_at" timestamptz(3) not null, "updated_by" varchar(120) not null, "version" int not null default 1, "deleted_at" timestamptz(3) null, primary key ("tagging_id"));`,
    );
    this.addSql(
      `create index "crm_taggings_newest" on "crm_core"."crm_taggings" (organization_id, created_at desc, tagging_id desc) where deleted_at is null;`,
    );
    this.addSql(
      `create index "crm_taggings_subject" on "crm_core"."crm_taggings" (organization_id, subject_id) where deleted_at is null;`,
    );
    this.addSql(
      `create unique index "crm_taggings_tag_id_subject_id_unique" on "crm_core"."crm_taggings" ("organization_id", "tag_id", "subject_id") where "deleted_at" is null;`,
    );

    this.addSql(
      `create table "crm_core"."crm_timeline" ("timeline_id" uuid not null, "organization_id" uuid not null, "subject_type" varchar(40) not null, "subject_id" uuid not null, "kind" varchar(80) not null, "summary" varchar(500) not null, "happened_at" timestamptz(3) not null, "actor" varchar(120) not null, "details" jsonb null, "created_at" timestamptz(3) not null, "created_by" varchar(120) not null, "updated_at" timestamptz(3) not null, "updated_by" varchar(120) not null, "version" int not null default 1, "deleted_at" timestamptz(3) null, primary key ("timeline_id"));`,
    );
    this.addSql(
      `create index "crm_timeline_newest" on "crm_core"."crm_timeline" (organization_id, created_at desc, timeline_id desc) where deleted_at is null;`,
    );
    this.addSql(
      `create index "crm_timeline_subject" on "crm_core"."crm_timeline" (organization_id, subject_id, happened_at desc, timeline_id desc);`,
    );

    this.addSql(
      `create table "crm_core"."crm_users" ("user_id" uuid not null, "organization_id" uuid not null, "full_name" varchar(200) not null, "email" varchar(320) not null, "active" boolean not null default true, "capacity" int not null default 100, "open_leads" int not null default 0, "daily_quota" int null, "weight" double precision not null default 1, "skills" text[] not null default '{}', "calendar_id" uuid null, "out_of_office_from" timestamptz(3) null, "out_of_office_until" timestamptz(3) null, "delegate_user_id" uuid null, "search_text" text generated always as (crm_core.fold(coalesce(full_name, '') || ' ' || coalesce(email, ''))) stored null, "created_at" timestamptz(3) not null, "created_by" varchar(120) not null, "updated_at" timestamptz(3) not null, "updated_by" varchar(120) not null, "version" int not null default 1, "deleted_at" timestamptz(3) null, primary key ("user_id"));`,
    );
    this.addSql(
      `create index "crm_users_newest" on "crm_core"."crm_users" (organization_id, created_at desc, user_id desc) where deleted_at is null;`,
    );
    this.addSql(
      `create index "crm_users_fulltext" on "crm_core"."crm_users" using gin (to_tsvector('simple', search_text));`,
    );
    this.addSql(`create index "crm_users_trigram" on "crm_core"."crm_users" using gin (search_text gin_trgm_ops);`);
    this.addSql(
      `create unique index "crm_users_email_unique" on "crm_core"."crm_users" ("organization_id", "email") where "deleted_at" is null;`,
    );

    this.addSql(
      `create table "crm_core"."crm_teams" ("team_id" uuid not null, "organization_id" uuid not null, "name" varchar(120) not null, "manager_user_id" uuid null, "fallback_user_id" uuid null, "search_text" text generated always as (crm_core.fold(coalesce(name, ''))) stored null, "created_at" timestamptz(3) not null, "created_by" varchar(120) not null, "updated_at" timestamptz(3) not null, "updated_by" varchar(120) not null, "version" int not null default 1, "deleted_at" timestamptz(3) null, primary key ("team_id"));`,
    );
    this.addSql(
      `create index "crm_teams_newest" on "crm_core"."crm_teams" (organization_id, created_at desc, team_id desc) where deleted_at is null;`,
    );
    this.addSql(
      `create index "crm_teams_fulltext" on "crm_core"."crm_teams" using gin (to_tsvector('simple', search_text));`,
    );
    this.addSql(`create index "crm_teams_trigram" on "crm_core"."crm_teams" using gin (search_text gin_trgm_ops);`);
    this.addSql(
      `create unique index "crm_teams_name_unique" on "crm_core"."crm_teams" ("organization_id", "name") where "deleted_at" is null;`,
    );

    this.addSql(
      `create table "crm_core"."crm_team_members" ("team_member_id" uuid not null, "organization_id" uuid not null, "team_id" uuid not null, "user_id" uuid not null, "position" int not null default 0, "last_turn" int null, "turns" int not null default 0, "created_at" timestamptz(3) not null, "created_by" varchar(120) not null, "updated_at" timestamptz(3) not null, "updated_by" varchar(120) not null, "version" int not null default 1, "deleted_at" timestamptz(3) null, primary key ("team_member_id"));`,
    );
    this.addSql(
      `create index "crm_team_members_newest" on "crm_core"."crm_team_members" (organization_id, created_at desc, team_member_id desc) where deleted_at is null;`,
    );
    this.addSql(
      `create index "crm_team_members_user" on "crm_core"."crm_team_members" (organization_id, user_id) where deleted_at is null;`,
    );
    this.addSql(
      `create unique index "crm_team_members_team_id_user_id_unique" on "crm_core"."crm_team_members" ("organization_id", "team_id", "user_id") where "deleted_at" is null;`,
    );

    this.addSql(
      `create table "crm_core"."crm_assignment_rules" ("assignment_rule_id" uuid not null, "organization_id" uuid not null, "name" varchar(120) not null, "active" boolean not null default true, "position" int not null, "condition" text not null, "team_id" uuid not null, "strategy" text not null, "ladder" jsonb null, "search_text" text generated always as (crm_core.fold(coalesce(name, ''))) stored null, "created_at" timestamptz(3) not null, "created_by" varchar(120) not null, "updated_at" timestamptz(3) not null, "updated_by" varchar(120) not null, "version" int not null default 1, "deleted_at" timestamptz(3) null, primary key ("assignment_rule_id"));`,
    );
    this.addSql(
      `create index "crm_assignment_rules_newest" on "crm_core"."crm_assignment_rules" (organization_id, created_at desc, assignment_rule_id desc) where deleted_at is null;`,
    );
    this.addSql(
      `create index "crm_assignment_rules_order" on "crm_core"."crm_assignment_rules" (organization_id, position) where active and deleted_at is null;`,
    );
    this.addSql(
      `create index "crm_assignment_rules_fulltext" on "crm_core"."crm_assignment_rules" using gin (to_tsvector('simple', search_text));`,
    );
    this.addSql(
      `create index "crm_assignment_rules_trigram" on "crm_core"."crm_assignment_rules" using gin (search_text gin_trgm_ops);`,
    );
    this.addSql(
      `create unique index "crm_assignment_rules_name_unique" on "crm_core"."crm_assignment_rules" ("organization_id", "name") where "deleted_at" is null;`,
    );

    this.addSql(
      `create table "crm_core"."crm_tasks" ("task_id" uuid not null, "organization_id" uuid not null, "title" varchar(200) not null, "description" text null, "status" text not null default 'open', "priority" text not null default 'normal', "due_at" timestamptz(3) null, "assigned_user_id" uuid null, "subject_type" text null, "subject_id" uuid null, "search_text" text generated always as (crm_core.fold(coalesce(title, '') || ' ' || coalesce(description, ''))) stored null, "created_at" timestamptz(3) not null, "created_by" varchar(120) not null, "updated_at" timestamptz(3) not null, "updated_by" varchar(120) not null, "version" int not null default 1, "deleted_at" timestamptz(3) null, primary key ("task_id"));`,
    );
    this.addSql(
      `create index "crm_tasks_newest" on "crm_core"."crm_tasks" (organization_id, created_at desc, task_id desc) where deleted_at is null;`,
    );
    this.addSql(
      `create index "crm_tasks_assignee" on "crm_core"."crm_tasks" (organization_id, assigned_user_id, status, due_at) where deleted_at is null;`,
    );
    this.addSql(
      `create index "crm_tasks_subject" on "crm_core"."crm_tasks" (organization_id, subject_id) where deleted_at is null;`,
    );
    this.addSql(
      `create index "crm_tasks_fulltext" on "crm_core"."crm_tasks" using gin (to_tsvector('simple', search_text));`,
    );
    this.addSql(`create index "crm_tasks_trigram" on "crm_core"."crm_tasks" using gin (search_text gin_trgm_ops);`);

    this.addSql(
      `create table "crm_core"."core_role_assignments" ("role_assignment_id" uuid not null, "organization_id" uuid not null, "user_id" uuid not null, "role_id" uuid not null, "created_at" timestamptz(3) not null, "created_by" varchar(120) not null, "updated_at" timestamptz(3) not null, "updated_by" varchar(120) not null, "version" int not null default 1, "deleted_at" timestamptz(3) null, primary key ("role_assignment_id"));`,
    );
    this.addSql(
      `create index "core_role_assignments_newest" on "crm_core"."core_role_assignments" (organization_id, created_at desc, role_assignment_id desc) where deleted_at is null;`,
    );
    this.addSql(
      `create unique index "core_role_assignments_user_id_role_id_unique" on "crm_core"."core_role_assignments" ("organization_id", "user_id", "role_id") where "deleted_at" is null;`,
    );

    this.addSql(
      `create table "crm_core"."crm_notifications" ("notification_id" uuid not null, "organization_id" uuid not null, "user_id" uuid not null, "subject_type" varchar(40) not null, "subject_id" uuid not null, "kind" varchar(80) not null, "title" varchar(200) not null, "body" text not null, "read_at" timestamptz(3) null, "created_at" timestamptz(3) not null, "created_by" varchar(120) not null, "updated_at" timestamptz(3) not null, "updated_by" varchar(120) not null, "version" int not null default 1, "deleted_at" timestamptz(3) null, primary key ("notification_id"));`,
    );
    this.addSql(
      `create index "crm_notifications_newest" on "crm_core"."crm_notifications" (organization_id, created_at desc, notification_id desc) where deleted_at is null;`,
    );
    this.addSql(
      `create index "crm_notifications_user" on "crm_core"."crm_notifications" (organization_id, user_id, created_at desc) where deleted_at is null;`,
    );

    this.addSql(
      `create table "crm_core"."crm_activities" ("activity_id" uuid not null, "organization_id" uuid not null, "subject_type" text not null, "subject_id" uuid not null, "activity_type" text not null, "direction" text null, "user_id" uuid null, "happened_at" timestamptz(3) not null, "duration_seconds" int null, "notes" text null, "search_text" text generated always as (crm_core.fold(coalesce(notes, ''))) stored null, "created_at" timestamptz(3) not null, "created_by" varchar(120) not null, "updated_at" timestamptz(3) not null, "updated_by" varchar(120) not null, "version" int not null default 1, "deleted_at" timestamptz(3) null, primary key ("activity_id"));`,
    );
    this.addSql(
      `create index "crm_activities_newest" on "crm_core"."crm_activities" (organization_id, created_at desc, activity_id desc) where deleted_at is null;`,
    );
    this.addSql(
      `create index "crm_activities_subject" on "crm_core"."crm_activities" (organization_id, subject_id, happened_at desc) where deleted_at is null;`,
    );
    this.addSql(
      `create index "crm_activities_fulltext" on "crm_core"."crm_activities" using gin (to_tsvector('simple', search_text));`,
    );
    this.addSql(
      `create index "crm_activities_trigram" on "crm_core"."crm_activities" using gin (search_text gin_trgm_ops);`,
    );

    this.addSql(
      `create table "crm_core"."crm_accounts" ("account_id" uuid not null, "organization_id" uuid not null, "account_name" varchar(200) not null, "normalized_name" varchar(200) null, "parent_account_id" uuid null, "account_type" text not null default 'prospect', "industry" varchar(120) null, "segment" text null, "domain" varchar(253) null, "location_ref" varchar(200) null, "owner_user_id" uuid null, "metadata_json" jsonb null, "search_text" text generated always as (crm_core.fold(coalesce(account_name, '') || ' ' || coalesce(domain, ''))) stored null, "created_at" timestamptz(3) not null, "created_by" varchar(120) not null, "updated_at" timestamptz(3) not null, "updated_by" varchar(120) not null, "version" int not null default 1, "deleted_at" timestamptz(3) null, primary key ("account_id"));`,
    );
    this.addSql(
      `create index "crm_accounts_newest" on "crm_core"."crm_accounts" (organization_id, created_at desc, account_id desc) where deleted_at is null;`,
    );
    this.addSql(
      `create index "crm_accounts_domain" on "crm_core"."crm_accounts" (organization_id, domain) where deleted_at is null;`,
    );
    this.addSql(
      `create index "crm_accounts_owner" on "crm_core"."crm_accounts" (organization_id, owner_user_id) where deleted_at is null;`,
    );
    this.addSql(
      `create index "crm_accounts_fulltext" on "crm_core"."crm_accounts" using gin (to_tsvector('simple', search_text));`,
    );
    this.addSql(
      `create index "crm_accounts_trigram" on "crm_core"."crm_accounts" using gin (search_text gin_trgm_ops);`,
    );
    this.addSql(
      `create unique index "crm_accounts_normalized_name_unique" on "crm_core"."crm_accounts" ("organization_id", "normalized_name") where "deleted_at" is null;`,
    );

    this.addSql(
      `create table "crm_core"."crm_leads" ("lead_id" uuid not null, "organization_id" uuid not null, "person_id" uuid not null, "account_id" uuid null, "full_name" varchar(200) not null, "email" varchar(254) null, "phone" varchar(16) null, "company" varchar(200) null, "country" varchar(2) null, "source_system" varchar(100) null, "source_ref" varchar(200) null, "budget_band" varchar(60) null, "urgency" text null, "message" text null, "consent" jsonb null, "utm" jsonb null, "status" text not null, "stage" text not null, "score" int not null default 0, "band" text null, "scoring_model_id" uuid null, "scoring_model_version" int null, "assignment_rule_id" uuid null, "assignment_rule_version" int null, "team_id" uuid null, "assigned_user_id" uuid null, "assigned_at" timestamptz(3) null, "round" int not null default 0, "next_step" varchar(40) null, "next_due_at" timestamptz(3) null, "captured_at" timestamptz(3) not null, "touched_at" timestamptz(3) null, "last_activity_at" timestamptz(3) null, "engagement_count" int not null default 0, "closed_at" timestamptz(3) null, "disqualify_reason" varchar(60) null, "merged_into_lead_id" uuid null, "normalized_name" varchar(200) null, "normalized_company" varchar(200) null, "normalization" jsonb null, "duplicates" jsonb null, "search_text" text generated always as (crm_core.fold(coalesce(full_name, '') || ' ' || coalesce(email, '') || ' ' || coalesce(phone, '') || ' ' || coalesce(company, ''))) stored null, "created_at" timestamptz(3) not null, "created_by" varchar(120) not null, "updated_at" timestamptz(3) not null, "updated_by" varchar(120) not null, "version" int not null default 1, "deleted_at" timestamptz(3) null, primary key ("lead_id"));`,
    );
    this.addSql(
      `create index "crm_leads_newest" on "crm_core"."crm_leads" (organization_id, created_at desc, lead_id desc) where deleted_at is null;`,
    );
    this.addSql(
      `create index "crm_leads_assignee" on "crm_core"."crm_leads" (organization_id, assigned_user_id, created_at desc, lead_id desc) where deleted_at is null;`,
    );
    this.addSql(
      `create index "crm_leads_stage" on "crm_core"."crm_leads" (organization_id, stage, created_at desc, lead_id desc) where deleted_at is null;`,
    );
    this.addSql(
      `create index "crm_leads_status" on "crm_core"."crm_leads" (organization_id, status, created_at desc, lead_id desc) where deleted_at is null;`,
    );
    this.addSql(
      `create index "crm_leads_source" on "crm_core"."crm_leads" (organization_id, source_system, created_at desc, lead_id desc) where deleted_at is null;`,
    );
    this.addSql(
      `create index "crm_leads_score" on "crm_core"."crm_leads" (organization_id, score desc, lead_id desc) where deleted_at is null;`,
    );
    this.addSql(
      `create index "crm_leads_open_email" on "crm_core"."crm_leads" (organization_id, email) where status = 'open' and deleted_at is null;`,
    );
    this.addSql(
      `create index "crm_leads_open_phone" on "crm_core"."crm_leads" (organization_id, phone) where status = 'open' and deleted_at is null;`,
    );
    this.addSql(
      `create index "crm_leads_open_company" on "crm_core"."crm_leads" (organization_id, normalized_company) where status = 'open' and deleted_at is null;`,
    );
    this.addSql(
      `create index "crm_leads_person" on "crm_core"."crm_leads" (organization_id, person_id) where deleted_at is null;`,
    );
    this.addSql(
      `create index "crm_leads_captured" on "crm_core"."crm_leads" (organization_id, captured_at desc, lead_id desc) where deleted_at is null;`,
    );
    this.addSql(
      `create index "crm_leads_fulltext" on "crm_core"."crm_leads" using gin (to_tsvector('simple', search_text));`,
    );
    this.addSql(`create index "crm_leads_trigram" on "crm_core"."crm_leads" using gin (search_text gin_trgm_ops);`);

    this.addSql(
      `create table "crm_core"."crm_qualification_evidence" ("qualification_evidence_id" uuid not null, "organization_id" uuid not null, "lead_id" uuid not null, "criterion" text not null, "statement" text not null, "reference" varchar(500) not null, "recorded_at" timestamptz(3) not null, "created_at" timestamptz(3) not null, "created_by" varchar(120) not null, "updated_at" timestamptz(3) not null, "updated_by" varchar(120) not null, "version" int not null default 1, "deleted_at" timestamptz(3) null, primary key ("qualification_evidence_id"));`,
    );
    this.addSql(
      `create index "crm_qualification_evidence_newest" on "crm_core"."crm_qualification_evidence" (organization_id, created_at desc, qualification_evidence_id desc) where deleted_at is null;`,
    );
    this.addSql(
      `create unique index "crm_qualification_evidence_lead_id_criterion_unique" on "crm_core"."crm_qualification_evidence" ("organization_id", "lead_id", "criterion") where "deleted_at" is null;`,
    );

    this.addSql(
      `create table "crm_core"."crm_property_interests" ("property_interest_id" uuid not null, "organization_id" uuid not null, "lead_id" uuid not null, "project_id" uuid null, "unit_id" uuid null, "level" text not null default 'medium', "notes" text null, "created_at" timestamptz(3) not null, "created_by" varchar(120) not null, "updated_at" timestamptz(3) not null, "updated_by" varchar(120) not null, "version" int not null default 1, "deleted_at" timestamptz(3) null, primary key ("property_interest_id"));`,
    );
    this.addSql(
      `create index "crm_property_interests_newest" on "crm_core"."crm_property_interests" (organization_id, created_at desc, property_interest_id desc) where deleted_at is null;`,
    );
    this.addSql(
      `create index "crm_property_interests_lead" on "crm_core"."crm_property_interests" (organization_id, lead_id) where deleted_at is null;`,
    );

    this.addSql(
      `create table "crm_core"."crm_lead_steps" ("lead_step_id" uuid not null, "organization_id" uuid not null, "lead_id" uuid not null, "round" int not null, "step" varchar(40) not null, "due_at" timestamptz(3) not null, "detected_at" timestamptz(3) not null, "user_id" uuid null, "outcome" varchar(300) not null, "created_at" timestamptz(3) not null, "created_by" varchar(120) not null, "updated_at" timestamptz(3) not null, "updated_by" varchar(120) not null, "version" int not null default 1, "deleted_at" timestamptz(3) null, primary key ("lead_step_id"));`,
    );
    this.addSql(
      `create index "crm_lead_steps_newest" on "crm_core"."crm_lead_steps" (organization_id, created_at desc, lead_step_id desc) where deleted_at is null;`,
    );
    this.addSql(
      `create unique index "crm_lead_steps_lead_id_round_step_due_at_unique" on "crm_core"."crm_lead_steps" ("organization_id", "lead_id", "round", "step", "due_at") where "deleted_at" is null;`,
    );

    this.addSql(
      `create table "crm_core"."crm_lead_scores" ("lead_score_id" uuid not null, "organization_id" uuid not null, "lead_id" uuid not null, "scoring_model_id" uuid null, "scoring_model_version" int null, "score" int not null, "band" text null, "contributions" jsonb not null, "cause" varchar(60) not null, "scored_at" timestamptz(3) not null, "created_at" timestamptz(3) not null, "created_by" varchar(120) not null, "updated_at" timestamptz(3) not null, "updated_by" varchar(120) not null, "version" int not null default 1, "deleted_at" timestamptz(3) null, primary key ("lead_score_id"));`,
    );
    this.addSql(
      `create index "crm_lead_scores_newest" on "crm_core"."crm_lead_scores" (organization_id, created_at desc, lead_score_id desc) where deleted_at is null;`,
    );
    this.addSql(
      `create index "crm_lead_scores_lead" on "crm_core"."crm_lead_scores" (organization_id, lead_id, scored_at desc);`,
    );

    this.addSql(
      `create table "crm_core"."crm_lead_assignments" ("lead_assignment_id" uuid not null, "organization_id" uuid not null, "lead_id" uuid not null, "round" int not null, "user_id" uuid not null, "team_id" uuid null, "assignment_rule_id" uuid null, "assignment_rule_version" int null, "reason" varchar(300) not null, "over_capacity" boolean not null default false, "took_turn" boolean not null default false, "candidates" jsonb not null, "rules_tried" jsonb not null, "decided_at" timestamptz(3) not null, "created_at" timestamptz(3) not null, "created_by" varchar(120) not null, "updated_at" timestamptz(3) not null, "updated_by" varchar(120) not null, "version" int not null default 1, "deleted_at" timestamptz(3) null, primary key ("lead_assignment_id"));`,
    );
    this.addSql(
      `create index "crm_lead_assignments_newest" on "crm_core"."crm_lead_assignments" (organization_id, created_at desc, lead_assignment_id desc) where deleted_at is null;`,
    );
    this.addSql(
      `create index "crm_lead_assignments_user_day" on "crm_core"."crm_lead_assignments" (organization_id, user_id, decided_at desc);`,
    );
    this.addSql(
      `create unique index "crm_lead_assignments_lead_id_round_unique" on "crm_core"."crm_lead_assignments" ("organization_id", "lead_id", "round") where "deleted_at" is null;`,
    );

    this.addSql(
      `create table "crm_core"."crm_contacts" ("contact_id" uuid not null, "organization_id" uuid not null, "person_id" uuid not null, "account_id" uuid not null, "title" varchar(120) null, "role" text null, "is_primary" boolean not null default false, "lifecycle" text not null default 'lead', "search_text" text generated always as (crm_core.fold(coalesce(title, ''))) stored null, "created_at" timestamptz(3) not null, "created_by" varchar(120) not null, "updated_at" timestamptz(3) not null, "updated_by" varchar(120) not null, "version" int not null default 1, "deleted_at" timestamptz(3) null, primary key ("contact_id"));`,
    );
    this.addSql(
      `create index "crm_contacts_newest" on "crm_core"."crm_contacts" (organization_id, created_at desc, contact_id desc) where deleted_at is null;`,
    );
    this.addSql(
      `create index "crm_contacts_fulltext" on "crm_core"."crm_contacts" using gin (to_tsvector('simple', search_text));`,
    );
    this.addSql(
      `create index "crm_contacts_trigram" on "crm_core"."crm_contacts" using gin (search_text gin_trgm_ops);`,
    );
    this.addSql(
      `create unique index "crm_contacts_person_id_account_id_unique" on "crm_core"."crm_contacts" ("organization_id", "person_id", "account_id") where "deleted_at" is null;`,
    );

    this.addSql(
      `alter table "crm_core"."core_audit_events" add constraint "core_audit_events_kind_check" check ("kind" in ('session_started', 'access_refused'));`,
    );
    this.addSql(`alter table "crm_core"."core_audit_events" enable row level security;`);
    this.addSql(`alter table "crm_core"."core_audit_events" force row level security;`);
    this.addSql(
      `create policy "core_audit_events_organization" on "crm_core"."core_audit_events" to "crm_app" using (organization_id = nullif(current_setting('crm.organization_id', true), '')::uuid) with check (organization_id = nullif(current_setting('crm.organization_id', true), '')::uuid);`,
    );
    this.addSql(
      `create policy "core_audit_events_relay" on "crm_core"."core_audit_events" to "crm_relay" using (true) with check (true);`,
    );

    this.addSql(`alter table "crm_core"."crm_auditlog" enable row level security;`);
    this.addSql(`alter table "crm_core"."crm_auditlog" force row level security;`);
    this.addSql(
      `create policy "crm_auditlog_organization" on "crm_core"."crm_auditlog" to "crm_app" using (organization_id = nullif(current_setting('crm.organization_id', true), '')::uuid) with check (organization_id = nullif(current_setting('crm.organization_id', true), '')::uuid);`,
    );
    this.addSql(
      `create policy "crm_auditlog_relay" on "crm_core"."crm_auditlog" to "crm_relay" using (true) with check (true);`,
    );

    this.addSql(`alter table "crm_core"."crm_calendars" enable row level security;`);
    this.addSql(`alter table "crm_core"."crm_calendars" force row level security;`);
    this.addSql(
      `create policy "crm_calendars_organization" on "crm_core"."crm_calendars" to "crm_app" using (organization_id = nullif(current_setting('crm.organization_id', true), '')::uuid) with check (organization_id = nullif(current_setting('crm.organization_id', true), '')::uuid);`,
    );
    this.addSql(
      `create policy "crm_calendars_relay" on "crm_core"."crm_calendars" to "crm_relay" using (true) with check (true);`,
    );

    this.addSql(
      `alter table "crm_core"."crm_commands" add constraint "crm_commands_state_check" check ("state" in ('received', 'answered'));`,
    );
    this.addSql(`alter table "crm_core"."crm_commands" enable row level security;`);
    this.addSql(`alter table "crm_core"."crm_commands" force row level security;`);
    this.addSql(
      `create policy "crm_commands_organization" on "crm_core"."crm_commands" to "crm_app" using (organization_id = nullif(current_setting('crm.organization_id', true), '')::uuid) with check (organization_id = nullif(current_setting('crm.organization_id', true), '')::uuid);`,
    );
    this.addSql(
      `create policy "crm_commands_relay" on "crm_core"."crm_commands" to "crm_relay" using (true) with check (true);`,
    );

    this.addSql(
      `alter table "crm_core"."crm_external_refs" add constraint "crm_external_refs_subject_type_check" check ("subject_type" in ('lead', 'person', 'account', 'contact', 'task', 'activity', 'calendar', 'user', 'team', 'organization'));`,
    );
    this.addSql(`alter table "crm_core"."crm_external_refs" enable row level security;`);
    this.addSql(`alter table "crm_core"."crm_external_refs" force row level security;`);
    this.addSql(
      `create policy "crm_external_refs_organization" on "crm_core"."crm_external_refs" to "crm_app" using (organization_id = nullif(current_setting('crm.organization_id', true), '')::uuid) with check (organization_id = nullif(current_setting('crm.organization_id', true), '')::uuid);`,
    );
    this.addSql(
      `create policy "crm_external_refs_relay" on "crm_core"."crm_external_refs" to "crm_relay" using (true) with check (true);`,
    );

    this.addSql(`alter table "crm_core"."crm_feature_flags" enable row level security;`);
    this.addSql(`alter table "crm_core"."crm_feature_flags" force row level security;`);
    this.addSql(
      `create policy "crm_feature_flags_organization" on "crm_core"."crm_feature_flags" to "crm_app" using (organization_id = nullif(current_setting('crm.organization_id', true), '')::uuid) with check (organization_id = nullif(current_setting('crm.organization_id', true), '')::uuid);`,
    );
    this.addSql(
      `create policy "crm_feature_flags_relay" on "crm_core"."crm_feature_flags" to "crm_relay" using (true) with check (true);`,
    );

    this.addSql(
      `alter table "crm_core"."core_users" add constraint "core_users_status_check" check ("status" in ('active', 'suspended'));`,
    );
    this.addSql(`alter table "crm_core"."core_users" enable row level security;`);
    this.addSql(`alter table "crm_core"."core_users" force row level security;`);
    this.addSql(
      `create policy "core_users_organization" on "crm_core"."core_users" to "crm_app" using (organization_id = nullif(current_setting('crm.organization_id', true), '')::uuid) with check (organization_id = nullif(current_setting('crm.organization_id', true), '')::uuid);`,
    );
    this.addSql(
      `create policy "core_users_relay" on "crm_core"."core_users" to "crm_relay" using (true) with check (true);`,
    );

    this.addSql(
      `alter table "crm_core"."crm_merges" add constraint "crm_merges_subject_type_check" check ("subject_type" in ('lead', 'person', 'account'));`,
    );
    this.addSql(`alter table "crm_core"."crm_merges" enable row level security;`);
    this.addSql(`alter table "crm_core"."crm_merges" force row level security;`);
    this.addSql(
      `create policy "crm_merges_organization" on "crm_core"."crm_merges" to "crm_app" using (organization_id = nullif(current_setting('crm.organization_id', true), '')::uuid) with check (organization_id = nullif(current_setting('crm.organization_id', true), '')::uuid);`,
    );
    this.addSql(
      `create policy "crm_merges_relay" on "crm_core"."crm_merges" to "crm_relay" using (true) with check (true);`,
    );

    this.addSql(
      `alter table "crm_core"."crm_notes" add constraint "crm_notes_subject_type_check" check ("subject_type" in ('lead', 'person', 'account', 'contact', 'task', 'activity', 'calendar', 'user', 'team', 'organization'));`,
    );
    this.addSql(`alter table "crm_core"."crm_notes" enable row level security;`);
    this.addSql(`alter table "crm_core"."crm_notes" force row level security;`);
    this.addSql(
      `create policy "crm_notes_organization" on "crm_core"."crm_notes" to "crm_app" using (organization_id = nullif(current_setting('crm.organization_id', true), '')::uuid) with check (organization_id = nullif(current_setting('crm.organization_id', true), '')::uuid);`,
    );
    this.addSql(
      `create policy "crm_notes_relay" on "crm_core"."crm_notes" to "crm_relay" using (true) with check (true);`,
    );

    this.addSql(`alter table "crm_core"."core_organizations" enable row level security;`);
    this.addSql(`alter table "crm_core"."core_organizations" force row level security;`);
    this.addSql(
      `create policy "core_organizations_organization" on "crm_core"."core_organizations" to "crm_app" using (organization_id = nullif(current_setting('crm.organization_id', true), '')::uuid) with check (organization_id = nullif(current_setting('crm.organization_id', true), '')::uuid);`,
    );
    this.addSql(
      `create policy "core_organizations_relay" on "crm_core"."core_organizations" to "crm_relay" using (true) with check (true);`,
    );

    this.addSql(`alter table "crm_core"."crm_outbox" enable row level security;`);
    this.addSql(`alter table "crm_core"."crm_outbox" force row level security;`);
    this.addSql(
      `create policy "crm_outbox_organization" on "crm_core"."crm_outbox" to "crm_app" using (organization_id = nullif(current_setting('crm.organization_id', true), '')::uuid) with check (organization_id = nullif(current_setting('crm.organization_id', true), '')::uuid);`,
    );
    this.addSql(
      `create policy "crm_outbox_relay" on "crm_core"."crm_outbox" to "crm_relay" using (true) with check (true);`,
    );

    this.addSql(
      `alter table "crm_core"."crm_people" add constraint "crm_people_email_status_check" check ("email_status" in ('accepts', 'rejects', 'unknown'));`,
    );
    this.addSql(`alter table "crm_core"."crm_people" enable row level security;`);
    this.addSql(`alter table "crm_core"."crm_people" force row level security;`);
    this.addSql(
      `create policy "crm_people_organization" on "crm_core"."crm_people" to "crm_app" using (organization_id = nullif(current_setting('crm.organization_id', true), '')::uuid) with check (organization_id = nullif(current_setting('crm.organization_id', true), '')::uuid);`,
    );
    this.addSql(
      `create policy "crm_people_relay" on "crm_core"."crm_people" to "crm_relay" using (true) with check (true);`,
    );

    this.addSql(
      `alter table "crm_core"."core_roles" add constraint "core_roles_name_check" check ("name" in ('admin', 'manager', 'sales_rep', 'support', 'marketing'));`,
    );
    this.addSql(`alter table "crm_core"."core_roles" enable row level security;`);
    this.addSql(`alter table "crm_core"."core_roles" force row level security;`);
    this.addSql(
      `create policy "core_roles_organization" on "crm_core"."core_roles" to "crm_app" using (organization_id = nullif(current_setting('crm.organization_id', true), '')::uuid) with check (organization_id = nullif(current_setting('crm.organization_id', true), '')::uuid);`,
    );
    this.addSql(
      `create policy "core_roles_relay" on "crm_core"."core_roles" to "crm_relay" using (true) with check (true);`,
    );

    this.addSql(
      `alter table "crm_core"."core_permissions" add constraint "core_permissions_role_id_foreign" foreign key ("role_id") references "crm_core"."core_roles" ("role_id") on delete no action;`,
    );
    this.addSql(
      `alter table "crm_core"."core_permissions" add constraint "core_permissions_scope_check" check ("scope" in ('all', 'team', 'own'));`,
    );
    this.addSql(`alter table "crm_core"."core_permissions" enable row level security;`);
    this.addSql(`alter table "crm_core"."core_permissions" force row level security;`);
    this.addSql(
      `create policy "core_permissions_organization" on "crm_core"."core_permissions" to "crm_app" using (organization_id = nullif(current_setting('crm.organization_id', true), '')::uuid) with check (organization_id = nullif(current_setting('crm.organization_id', true), '')::uuid);`,
    );
    this.addSql(
      `create policy "core_permissions_relay" on "crm_core"."core_permissions" to "crm_relay" using (true) with check (true);`,
    );

    this.addSql(`alter table "crm_core"."crm_scoring_models" enable row level security;`);
    this.addSql(`alter table "crm_core"."crm_scoring_models" force row level security;`);
    this.addSql(
      `create policy "crm_scoring_models_organization" on "crm_core"."crm_scoring_models" to "crm_app" using (organization_id = nullif(current_setting('crm.organization_id', true), '')::uuid) with check (organization_id = nullif(current_setting('crm.organization_id', true), '')::uuid);`,
    );
    this.addSql(
      `create policy "crm_scoring_models_relay" on "crm_core"."crm_scoring_models" to "crm_relay" using (true) with check (true);`,
    );

    this.addSql(`alter table "crm_core"."core_sessions" enable row level security;`);
    this.addSql(`alter table "crm_core"."core_sessions" force row level security;`);
    this.addSql(
      `create policy "core_sessions_organization" on "crm_core"."core_sessions" to "crm_app" using (organization_id = nullif(current_setting('crm.organization_id', true), '')::uuid) with check (organization_id = nullif(current_setting('crm.organization_id', true), '')::uuid);`,
    );
    this.addSql(
      `create policy "core_sessions_relay" on "crm_core"."core_sessions" to "crm_relay" using (true) with check (true);`,
    );

    this.addSql(`alter table "crm_core"."crm_tags" enable row level security;`);
    this.addSql(`alter table "crm_core"."crm_tags" force row level security;`);
    this.addSql(
      `create policy "crm_tags_organization" on "crm_core"."crm_tags" to "crm_app" using (organization_id = nullif(current_setting('crm.organization_id', true), '')::uuid) with check (organization_id = nullif(current_setting('crm.organization_id', true), '')::uuid);`,
    );
    this.addSql(
      `create policy "crm_tags_relay" on "crm_core"."crm_tags" to "crm_relay" using (true) with check (true);`,
    );

    this.addSql(
      `alter table "crm_core"."crm_taggings" add constraint "crm_taggings_tag_id_foreign" foreign key ("tag_id") references "crm_core"."crm_tags" ("tag_id") on delete no action;`,
    );
    this.addSql(
      `alter table "crm_core"."crm_taggings" add constraint "crm_taggings_subject_type_check" check ("subject_type" in ('lead', 'person', 'account', 'contact', 'task', 'activity', 'calendar', 'user', 'team', 'organization'));`,
    );
    this.addSql(`alter table "crm_core"."crm_taggings" enable row level security;`);
    this.addSql(`alter table "crm_core"."crm_taggings" force row level security;`);
    this.addSql(
      `create policy "crm_taggings_organization" on "crm_core"."crm_taggings" to "crm_app" using (organization_id = nullif(current_setting('crm.organization_id', true), '')::uuid) with check (organization_id = nullif(current_setting('crm.organization_id', true), '')::uuid);`,
    );
    this.addSql(
      `create policy "crm_taggings_relay" on "crm_core"."crm_taggings" to "crm_relay" using (true) with check (true);`,
    );

    this.addSql(`alter table "crm_core"."crm_timeline" enable row level security;`);
    this.addSql(`alter table "crm_core"."crm_timeline" force row level security;`);
    this.addSql(
      `create policy "crm_timeline_organization" on "crm_core"."crm_timeline" to "crm_app" using (organization_id = nullif(current_setting('crm.organization_id', true), '')::uuid) with check (organization_id = nullif(current_setting('crm.organization_id', true), '')::uuid);`,
    );
    this.addSql(
      `create policy "crm_timeline_relay" on "crm_core"."crm_timeline" to "crm_relay" using (true) with check (true);`,
    );

    this.addSql(
      `alter table "crm_core"."crm_users" add constraint "crm_users_calendar_id_foreign" foreign key ("calendar_id") references "crm_core"."crm_calendars" ("calendar_id") on delete no action;`,
    );
    this.addSql(`alter table "crm_core"."crm_users" enable row level security;`);
    this.addSql(`alter table "crm_core"."crm_users" force row level security;`);
    this.addSql(
      `create policy "crm_users_organization" on "crm_core"."crm_users" to "crm_app" using (organization_id = nullif(current_setting('crm.organization_id', true), '')::uuid) with check (organization_id = nullif(current_setting('crm.organization_id', true), '')::uuid);`,
    );
    this.addSql(
      `create policy "crm_users_relay" on "crm_core"."crm_users" to "crm_relay" using (true) with check (true);`,
    );

    this.addSql(
      `alter table "crm_core"."crm_teams" add constraint "crm_teams_manager_user_id_foreign" foreign key ("manager_user_id") references "crm_core"."crm_users" ("user_id") on delete no action;`,
    );
    this.addSql(
      `alter table "crm_core"."crm_teams" add constraint "crm_teams_fallback_user_id_foreign" foreign key ("fallback_user_id") references "crm_core"."crm_users" ("user_id") on delete no action;`,
    );
    this.addSql(`alter table "crm_core"."crm_teams" enable row level security;`);
    this.addSql(`alter table "crm_core"."crm_teams" force row level security;`);
    this.addSql(
      `create policy "crm_teams_organization" on "crm_core"."crm_teams" to "crm_app" using (organization_id = nullif(current_setting('crm.organization_id', true), '')::uuid) with check (organization_id = nullif(current_setting('crm.organization_id', true), '')::uuid);`,
    );
    this.addSql(
      `create policy "crm_teams_relay" on "crm_core"."crm_teams" to "crm_relay" using (true) with check (true);`,
    );

    this.addSql(
      `alter table "crm_core"."crm_team_members" add constraint "crm_team_members_team_id_foreign" foreign key ("team_id") references "crm_core"."crm_teams" ("team_id") on delete no action;`,
    );
    this.addSql(
      `alter table "crm_core"."crm_team_members" add constraint "crm_team_members_user_id_foreign" foreign key ("user_id") references "crm_core"."crm_users" ("user_id") on delete no action;`,
    );
    this.addSql(`alter table "crm_core"."crm_team_members" enable row level security;`);
    this.addSql(`alter table "crm_core"."crm_team_members" force row level security;`);
    this.addSql(
      `create policy "crm_team_members_organization" on "crm_core"."crm_team_members" to "crm_app" using (organization_id = nullif(current_setting('crm.organization_id', true), '')::uuid) with check (organization_id = nullif(current_setting('crm.organization_id', true), '')::uuid);`,
    );
    this.addSql(
      `create policy "crm_team_members_relay" on "crm_core"."crm_team_members" to "crm_relay" using (true) with check (true);`,
    );

    this.addSql(
      `alter table "crm_core"."crm_assignment_rules" add constraint "crm_assignment_rules_team_id_foreign" foreign key ("team_id") references "crm_core"."crm_teams" ("team_id") on delete no action;`,
    );
    this.addSql(
      `alter table "crm_core"."crm_assignment_rules" add constraint "crm_assignment_rules_strategy_check" check ("strategy" in ('round_robin', 'least_loaded', 'weighted'));`,
    );
    this.addSql(`alter table "crm_core"."crm_assignment_rules" enable row level security;`);
    this.addSql(`alter table "crm_core"."crm_assignment_rules" force row level security;`);
    this.addSql(
      `create policy "crm_assignment_rules_organization" on "crm_core"."crm_assignment_rules" to "crm_app" using (organization_id = nullif(current_setting('crm.organization_id', true), '')::uuid) with check (organization_id = nullif(current_setting('crm.organization_id', true), '')::uuid);`,
    );
    this.addSql(
      `create policy "crm_assignment_rules_relay" on "crm_core"."crm_assignment_rules" to "crm_relay" using (true) with check (true);`,
    );

    this.addSql(
      `alter table "crm_core"."crm_tasks" add constraint "crm_tasks_assigned_user_id_foreign" foreign key ("assigned_user_id") references "crm_core"."crm_users" ("user_id") on delete no action;`,
    );
    this.addSql(
      `alter table "crm_core"."crm_tasks" add constraint "crm_tasks_status_check" check ("status" in ('open', 'done', 'cancelled'));`,
    );
    this.addSql(
      `alter table "crm_core"."crm_tasks" add constraint "crm_tasks_priority_check" check ("priority" in ('low', 'normal', 'high'));`,
    );
    this.addSql(
      `alter table "crm_core"."crm_tasks" add constraint "crm_tasks_subject_type_check" check ("subject_type" in ('lead', 'person', 'account', 'contact', 'task', 'activity', 'calendar', 'user', 'team', 'organization'));`,
    );
    this.addSql(`alter table "crm_core"."crm_tasks" enable row level security;`);
    this.addSql(`alter table "crm_core"."crm_tasks" force row level security;`);
    this.addSql(
      `create policy "crm_tasks_organization" on "crm_core"."crm_tasks" to "crm_app" using (organization_id = nullif(current_setting('crm.organization_id', true), '')::uuid) with check (organization_id = nullif(current_setting('crm.organization_id', true), '')::uuid);`,
    );
    this.addSql(
      `create policy "crm_tasks_relay" on "crm_core"."crm_tasks" to "crm_relay" using (true) with check (true);`,
    );

    this.addSql(
      `alter table "crm_core"."core_role_assignments" add constraint "core_role_assignments_user_id_foreign" foreign key ("user_id") references "crm_core"."crm_users" ("user_id") on delete no action;`,
    );
    this.addSql(
      `alter table "crm_core"."core_role_assignments" add constraint "core_role_assignments_role_id_foreign" foreign key ("role_id") references "crm_core"."core_roles" ("role_id") on delete no action;`,
    );
    this.addSql(`alter table "crm_core"."core_role_assignments" enable row level security;`);
    this.addSql(`alter table "crm_core"."core_role_assignments" force row level security;`);
    this.addSql(
      `create policy "core_role_assignments_organization" on "crm_core"."core_role_assignments" to "crm_app" using (organization_id = nullif(current_setting('crm.organization_id', true), '')::uuid) with check (organization_id = nullif(current_setting('crm.organization_id', true), '')::uuid);`,
    );
    this.addSql(
      `create policy "core_role_assignments_relay" on "crm_core"."core_role_assignments" to "crm_relay" using (true) with check (true);`,
    );

    this.addSql(
      `alter table "crm_core"."crm_notifications" add constraint "crm_notifications_user_id_foreign" foreign key ("user_id") references "crm_core"."crm_users" ("user_id") on delete no action;`,
    );
    this.addSql(`alter table "crm_core"."crm_notifications" enable row level security;`);
    this.addSql(`alter table "crm_core"."crm_notifications" force row level security;`);
    this.addSql(
      `create policy "crm_notifications_organization" on "crm_core"."crm_notifications" to "crm_app" using (organization_id = nullif(current_setting('crm.organization_id', true), '')::uuid) with check (organization_id = nullif(current_setting('crm.organization_id', true), '')::uuid);`,
    );
    this.addSql(
      `create policy "crm_notifications_relay" on "crm_core"."crm_notifications" to "crm_relay" using (true) with check (true);`,
    );

    this.addSql(
      `alter table "crm_core"."crm_activities" add constraint "crm_activities_user_id_foreign" foreign key ("user_id") references "crm_core"."crm_users" ("user_id") on delete no action;`,
    );
    this.addSql(
      `alter table "crm_core"."crm_activities" add constraint "crm_activities_subject_type_check" check ("subject_type" in ('lead', 'person', 'account', 'contact', 'task', 'activity', 'calendar', 'user', 'team', 'organization'));`,
    );
    this.addSql(
      `alter table "crm_core"."crm_activities" add constraint "crm_activities_activity_type_check" check ("activity_type" in ('call', 'email', 'meeting', 'note'));`,
    );
    this.addSql(
      `alter table "crm_core"."crm_activities" add constraint "crm_activities_direction_check" check ("direction" in ('inbound', 'outbound'));`,
    );
    this.addSql(`alter table "crm_core"."crm_activities" enable row level security;`);
    this.addSql(`alter table "crm_core"."crm_activities" force row level security;`);
    this.addSql(
      `create policy "crm_activities_organization" on "crm_core"."crm_activities" to "crm_app" using (organization_id = nullif(current_setting('crm.organization_id', true), '')::uuid) with check (organization_id = nullif(current_setting('crm.organization_id', true), '')::uuid);`,
    );
    this.addSql(
      `create policy "crm_activities_relay" on "crm_core"."crm_activities" to "crm_relay" using (true) with check (true);`,
    );

    this.addSql(
      `alter table "crm_core"."crm_accounts" add constraint "crm_accounts_parent_account_id_foreign" foreign key ("parent_account_id") references "crm_core"."crm_accounts" ("account_id") on delete no action;`,
    );
    this.addSql(
      `alter table "crm_core"."crm_accounts" add constraint "crm_accounts_owner_user_id_foreign" foreign key ("owner_user_id") references "crm_core"."crm_users" ("user_id") on delete no action;`,
    );
    this.addSql(
      `alter table "crm_core"."crm_accounts" add constraint "crm_accounts_account_type_check" check ("account_type" in ('prospect', 'customer', 'partner', 'developer', 'brokerage', 'competitor', 'other'));`,
    );
    this.addSql(
      `alter table "crm_core"."crm_accounts" add constraint "crm_accounts_segment_check" check ("segment" in ('enterprise', 'mid_market', 'small_business', 'consumer'));`,
    );
    this.addSql(`alter table "crm_core"."crm_accounts" enable row level security;`);
    this.addSql(`alter table "crm_core"."crm_accounts" force row level security;`);
    this.addSql(
      `create policy "crm_accounts_organization" on "crm_core"."crm_accounts" to "crm_app" using (organization_id = nullif(current_setting('crm.organization_id', true), '')::uuid) with check (organization_id = nullif(current_setting('crm.organization_id', true), '')::uuid);`,
    );
    this.addSql(
      `create policy "crm_accounts_relay" on "crm_core"."crm_accounts" to "crm_relay" using (true) with check (true);`,
    );

    this.addSql(
      `alter table "crm_core"."crm_leads" add constraint "crm_leads_person_id_foreign" foreign key ("person_id") references "crm_core"."crm_people" ("person_id") on delete no action;`,
    );
    this.addSql(
      `alter table "crm_core"."crm_leads" add constraint "crm_leads_account_id_foreign" foreign key ("account_id") references "crm_core"."crm_accounts" ("account_id") on delete no action;`,
    );
    this.addSql(
      `alter table "crm_core"."crm_leads" add constraint "crm_leads_scoring_model_id_foreign" foreign key ("scoring_model_id") references "crm_core"."crm_scoring_models" ("scoring_model_id") on delete no action;`,
    );
    this.addSql(
      `alter table "crm_core"."crm_leads" add constraint "crm_leads_assignment_rule_id_foreign" foreign key ("assignment_rule_id") references "crm_core"."crm_assignment_rules" ("assignment_rule_id") on delete no action;`,
    );
    this.addSql(
      `alter table "crm_core"."crm_leads" add constraint "crm_leads_team_id_foreign" foreign key ("team_id") references "crm_core"."crm_teams" ("team_id") on delete no action;`,
    );
    this.addSql(
      `alter table "crm_core"."crm_leads" add constraint "crm_leads_assigned_user_id_foreign" foreign key ("assigned_user_id") references "crm_core"."crm_users" ("user_id") on delete no action;`,
    );
    this.addSql(
      `alter table "crm_core"."crm_leads" add constraint "crm_leads_urgency_check" check ("urgency" in ('low', 'medium', 'high'));`,
    );
    this.addSql(
      `alter table "crm_core"."crm_leads" add constraint "crm_leads_status_check" check ("status" in ('open', 'qualified', 'disqualified', 'merged'));`,
    );
    this.addSql(
      `alter table "crm_core"."crm_leads" add constraint "crm_leads_stage_check" check ("stage" in ('captured', 'scored', 'assigned', 'touched', 'qualified', 'disqualified', 'merged'));`,
    );
    this.addSql(
      `alter table "crm_core"."crm_leads" add constraint "crm_leads_band_check" check ("band" in ('cold', 'warm', 'hot'));`,
    );
    this.addSql(
      `create or replace function "crm_core"."crm_leads_open_leads_fn"() returns trigger as \$\$ begin if tg_op = 'UPDATE' and (old.status = 'open' and old.deleted_at is null) = (new.status = 'open' and new.deleted_at is null) and old.assigned_user_id is not distinct from new.assigned_user_id then return null; end if; if tg_op <> 'INSERT' then if old.status = 'open' and old.deleted_at is null then update crm_core.crm_users set open_leads = open_leads - 1 where user_id = old.assigned_user_id; end if; end if; if tg_op <> 'DELETE' then if new.status = 'open' and new.deleted_at is null then update crm_core.crm_users set open_leads = open_leads + 1 where user_id = new.assigned_user_id; end if; end if; return null; end; \$\$ language plpgsql;`,
    );
    this.addSql(
      `create trigger "open_leads" AFTER INSERT OR UPDATE OR DELETE on "crm_core"."crm_leads" for each ROW execute function "crm_core"."crm_leads_open_leads_fn"();`,
    );
    this.addSql(`alter table "crm_core"."crm_leads" enable row level security;`);
    this.addSql(`alter table "crm_core"."crm_leads" force row level security;`);
    this.addSql(
      `create policy "crm_leads_organization" on "crm_core"."crm_leads" to "crm_app" using (organization_id = nullif(current_setting('crm.organization_id', true), '')::uuid) with check (organization_id = nullif(current_setting('crm.organization_id', true), '')::uuid);`,
    );
    this.addSql(
      `create policy "crm_leads_relay" on "crm_core"."crm_leads" to "crm_relay" using (true) with check (true);`,
    );

    this.addSql(
      `alter table "crm_core"."crm_qualification_evidence" add constraint "crm_qualification_evidence_lead_id_foreign" foreign key ("lead_id") references "crm_core"."crm_leads" ("lead_id") on delete no action;`,
    );
    this.addSql(
      `alter table "crm_core"."crm_qualification_evidence" add constraint "crm_qualification_evidence_criterion_check" check ("criterion" in ('budget', 'authority', 'need', 'timing'));`,
    );
    this.addSql(`alter table "crm_core"."crm_qualification_evidence" enable row level security;`);
    this.addSql(`alter table "crm_core"."crm_qualification_evidence" force row level security;`);
    this.addSql(
      `create policy "crm_qualification_evidence_organization" on "crm_core"."crm_qualification_evidence" to "crm_app" using (organization_id = nullif(current_setting('crm.organization_id', true), '')::uuid) with check (organization_id = nullif(current_setting('crm.organization_id', true), '')::uuid);`,
    );
    this.addSql(
      `create policy "crm_qualification_evidence_relay" on "crm_core"."crm_qualification_evidence" to "crm_relay" using (true) with check (true);`,
    );

    this.addSql(
      `alter table "crm_core"."crm_property_interests" add constraint "crm_property_interests_lead_id_foreign" foreign key ("lead_id") references "crm_core"."crm_leads" ("lead_id") on delete no action;`,
    );
    this.addSql(
      `alter table "crm_core"."crm_property_interests" add constraint "crm_property_interests_level_check" check ("level" in ('low', 'medium', 'high'));`,
    );
    this.addSql(`alter table "crm_core"."crm_property_interests" enable row level security;`);
    this.addSql(`alter table "crm_core"."crm_property_interests" force row level security;`);
    this.addSql(
      `create policy "crm_property_interests_organization" on "crm_core"."crm_property_interests" to "crm_app" using (organization_id = nullif(current_setting('crm.organization_id', true), '')::uuid) with check (organization_id = nullif(current_setting('crm.organization_id', true), '')::uuid);`,
    );
    this.addSql(
      `create policy "crm_property_interests_relay" on "crm_core"."crm_property_interests" to "crm_relay" using (true) with check (true);`,
    );

    this.addSql(
      `alter table "crm_core"."crm_lead_steps" add constraint "crm_lead_steps_lead_id_foreign" foreign key ("lead_id") references "crm_core"."crm_leads" ("lead_id") on delete no action;`,
    );
    this.addSql(
      `alter table "crm_core"."crm_lead_steps" add constraint "crm_lead_steps_user_id_foreign" foreign key ("user_id") references "crm_core"."crm_users" ("user_id") on delete no action;`,
    );
    this.addSql(`alter table "crm_core"."crm_lead_steps" enable row level security;`);
    this.addSql(`alter table "crm_core"."crm_lead_steps" force row level security;`);
    this.addSql(
      `create policy "crm_lead_steps_organization" on "crm_core"."crm_lead_steps" to "crm_app" using (organization_id = nullif(current_setting('crm.organization_id', true), '')::uuid) with check (organization_id = nullif(current_setting('crm.organization_id', true), '')::uuid);`,
    );
    this.addSql(
      `create policy "crm_lead_steps_relay" on "crm_core"."crm_lead_steps" to "crm_relay" using (true) with check (true);`,
    );

    this.addSql(
      `alter table "crm_core"."crm_lead_scores" add constraint "crm_lead_scores_lead_id_foreign" foreign key ("lead_id") references "crm_core"."crm_leads" ("lead_id") on delete no action;`,
    );
    this.addSql(
      `alter table "crm_core"."crm_lead_scores" add constraint "crm_lead_scores_scoring_model_id_foreign" foreign key ("scoring_model_id") references "crm_core"."crm_scoring_models" ("scoring_model_id") on delete no action;`,
    );
    this.addSql(
      `alter table "crm_core"."crm_lead_scores" add constraint "crm_lead_scores_band_check" check ("band" in ('cold', 'warm', 'hot'));`,
    );
    this.addSql(`alter table "crm_core"."crm_lead_scores" enable row level security;`);
    this.addSql(`alter table "crm_core"."crm_lead_scores" force row level security;`);
    this.addSql(
      `create policy "crm_lead_scores_organization" on "crm_core"."crm_lead_scores" to "crm_app" using (organization_id = nullif(current_setting('crm.organization_id', true), '')::uuid) with check (organization_id = nullif(current_setting('crm.organization_id', true), '')::uuid);`,
    );
    this.addSql(
      `create policy "crm_lead_scores_relay" on "crm_core"."crm_lead_scores" to "crm_relay" using (true) with check (true);`,
    );

    this.addSql(
      `alter table "crm_core"."crm_lead_assignments" add constraint "crm_lead_assignments_lead_id_foreign" foreign key ("lead_id") references "crm_core"."crm_leads" ("lead_id") on delete no action;`,
    );
    this.addSql(
      `alter table "crm_core"."crm_lead_assignments" add constraint "crm_lead_assignments_user_id_foreign" foreign key ("user_id") references "crm_core"."crm_users" ("user_id") on delete no action;`,
    );
    this.addSql(
      `alter table "crm_core"."crm_lead_assignments" add constraint "crm_lead_assignments_team_id_foreign" foreign key ("team_id") references "crm_core"."crm_teams" ("team_id") on delete no action;`,
    );
    this.addSql(
      `alter table "crm_core"."crm_lead_assignments" add constraint "crm_lead_assignments_assignment_rule_id_foreign" foreign key ("assignment_rule_id") references "crm_core"."crm_assignment_rules" ("assignment_rule_id") on delete no action;`,
    );
    this.addSql(`alter table "crm_core"."crm_lead_assignments" enable row level security;`);
    this.addSql(`alter table "crm_core"."crm_lead_assignments" force row level security;`);
    this.addSql(
      `create policy "crm_lead_assignments_organization" on "crm_core"."crm_lead_assignments" to "crm_app" using (organization_id = nullif(current_setting('crm.organization_id', true), '')::uuid) with check (organization_id = nullif(current_setting('crm.organization_id', true), '')::uuid);`,
    );
    this.addSql(
      `create policy "crm_lead_assignments_relay" on "crm_core"."crm_lead_assignments" to "crm_relay" using (true) with check (true);`,
    );

    this.addSql(
      `alter table "crm_core"."crm_contacts" add constraint "crm_contacts_person_id_foreign" foreign key ("person_id") references "crm_core"."crm_people" ("person_id") on delete no action;`,
    );
    this.addSql(
      `alter table "crm_core"."crm_contacts" add constraint "crm_contacts_account_id_foreign" foreign key ("account_id") references "crm_core"."crm_accounts" ("account_id") on delete no action;`,
    );
    this.addSql(
      `alter table "crm_core"."crm_contacts" add constraint "crm_contacts_role_check" check ("role" in ('decision_maker', 'influencer', 'champion', 'user', 'billing', 'other'));`,
    );
    this.addSql(
      `alter table "crm_core"."crm_contacts" add constraint "crm_contacts_lifecycle_check" check ("lifecycle" in ('subscriber', 'lead', 'qualified', 'customer', 'former'));`,
    );
    this.addSql(`alter table "crm_core"."crm_contacts" enable row level security;`);
    this.addSql(`alter table "crm_core"."crm_contacts" force row level security;`);
    this.addSql(
      `create policy "crm_contacts_organization" on "crm_core"."crm_contacts" to "crm_app" using (organization_id = nullif(current_setting('crm.organization_id', true), '')::uuid) with check (organization_id = nullif(current_setting('crm.organization_id', true), '')::uuid);`,
    );
    this.addSql(
      `create policy "crm_contacts_relay" on "crm_core"."crm_contacts" to "crm_relay" using (true) with check (true);`,
    );
  }

  override down(): void | Promise<void> {
    this.addSql(`alter table "crm_core"."crm_users" drop constraint "crm_users_calendar_id_foreign";`);
    this.addSql(`alter table "crm_core"."crm_leads" drop constraint "crm_leads_person_id_foreign";`);
    this.addSql(`alter table "crm_core"."crm_contacts" drop constraint "crm_contacts_person_id_foreign";`);
    this.addSql(`alter table "crm_core"."core_permissions" drop constraint "core_permissions_role_id_foreign";`);
    this.addSql(
      `alter table "crm_core"."core_role_assignments" drop constraint "core_role_assignments_role_id_foreign";`,
    );
    this.addSql(`alter table "crm_core"."crm_leads" drop constraint "crm_leads_scoring_model_id_foreign";`);
    this.addSql(`alter table "crm_core"."crm_lead_scores" drop constraint "crm_lead_scores_scoring_model_id_foreign";`);
    this.addSql(`alter table "crm_core"."crm_taggings" drop constraint "crm_taggings_tag_id_foreign";`);
    this.addSql(`alter table "crm_core"."crm_teams" drop constraint "crm_teams_manager_user_id_foreign";`);
    this.addSql(`alter table "crm_core"."crm_teams" drop constraint "crm_teams_fallback_user_id_foreign";`);
    this.addSql(`alter table "crm_core"."crm_team_members" drop constraint "crm_team_members_user_id_foreign";`);
    this.addSql(`alter table "crm_core"."crm_tasks" drop constraint "crm_tasks_assigned_user_id_foreign";`);
    this.addSql(
      `alter table "crm_core"."core_role_assignments" drop constraint "core_role_assignments_user_id_foreign";`,
    );
    this.addSql(`alter table "crm_core"."crm_notifications" drop constraint "crm_notifications_user_id_foreign";`);
    this.addSql(`alter table "crm_core"."crm_activities" drop constraint "crm_activities_user_id_foreign";`);
    this.addSql(`alter table "crm_core"."crm_accounts" drop constraint "crm_accounts_owner_user_id_foreign";`);
    this.addSql(`alter table "crm_core"."crm_leads" drop constraint "crm_leads_assigned_user_id_foreign";`);
    this.addSql(`alter table "crm_core"."crm_lead_steps" drop constraint "crm_lead_steps_user_id_foreign";`);
    this.addSql(
      `alter table "crm_core"."crm_lead_assignments" drop constraint "crm_lead_assignments_user_id_foreign";`,
    );
    this.addSql(`alter table "crm_core"."crm_team_members" drop constraint "crm_team_members_team_id_foreign";`);
    this.addSql(
      `alter table "crm_core"."crm_assignment_rules" drop constraint "crm_assignment_rules_team_id_foreign";`,
    );
    this.addSql(`alter table "crm_core"."crm_leads" drop constraint "crm_leads_team_id_foreign";`);
    this.addSql(
      `alter table "crm_core"."crm_lead_assignments" drop constraint "crm_lead_assignments_team_id_foreign";`,
    );
    this.addSql(`alter table "crm_core"."crm_leads" drop constraint "crm_leads_assignment_rule_id_foreign";`);
    this.addSql(
      `alter table "crm_core"."crm_lead_assignments" drop constraint "crm_lead_assignments_assignment_rule_id_foreign";`,
    );
    this.addSql(`alter table "crm_core"."crm_accounts" drop constraint "crm_accounts_parent_account_id_foreign";`);
    this.addSql(`alter table "crm_core"."crm_leads" drop constraint "crm_leads_account_id_foreign";`);
    this.addSql(`alter table "crm_core"."crm_contacts" drop constraint "crm_contacts_account_id_foreign";`);
    this.addSql(
      `alter table "crm_core"."crm_qualification_evidence" drop constraint "crm_qualification_evidence_lead_id_foreign";`,
    );
    this.addSql(
      `alter table "crm_core"."crm_property_interests" drop constraint "crm_property_interests_lead_id_foreign";`,
    );
    this.addSql(`alter table "crm_core"."crm_lead_steps" drop constraint "crm_lead_steps_lead_id_foreign";`);
    this.addSql(`alter table "crm_core"."crm_lead_scores" drop constraint "crm_lead_scores_lead_id_foreign";`);
    this.addSql(
      `alter table "crm_core"."crm_lead_assignments" drop constraint "crm_lead_assignments_lead_id_foreign";`,
    );

    this.addSql(`drop table if exists "crm_core"."core_audit_events" cascade;`);
    this.addSql(`drop table if exists "crm_core"."crm_auditlog" cascade;`);
    this.addSql(`drop table if exists "crm_core"."crm_calendars" cascade;`);
    this.addSql(`drop table if exists "crm_core"."crm_commands" cascade;`);
    this.addSql(`drop table if exists "crm_core"."crm_external_refs" cascade;`);
    this.addSql(`drop table if exists "crm_core"."crm_feature_flags" cascade;`);
    this.addSql(`drop table if exists "crm_core"."core_users" cascade;`);
    this.addSql(`drop table if exists "crm_core"."crm_merges" cascade;`);
    this.addSql(`drop table if exists "crm_core"."crm_notes" cascade;`);
    this.addSql(`drop table if exists "crm_core"."core_organizations" cascade;`);
    this.addSql(`drop table if exists "crm_core"."crm_outbox" cascade;`);
    this.addSql(`drop table if exists "crm_core"."crm_people" cascade;`);
    this.addSql(`drop table if exists "crm_core"."core_roles" cascade;`);
    this.addSql(`drop table if exists "crm_core"."core_permissions" cascade;`);
    this.addSql(`drop table if exists "crm_core"."crm_scoring_models" cascade;`);
    this.addSql(`drop table if exists "crm_core"."core_sessions" cascade;`);
    this.addSql(`drop table if exists "crm_core"."crm_tags" cascade;`);
    this.addSql(`drop table if exists "crm_core"."crm_taggings" cascade;`);
    this.addSql(`drop table if exists "crm_core"."crm_timeline" cascade;`);
    this.addSql(`drop table if exists "crm_core"."crm_users" cascade;`);
    this.addSql(`drop table if exists "crm_core"."crm_teams" cascade;`);
    this.addSql(`drop table if exists "crm_core"."crm_team_members" cascade;`);
    this.addSql(`drop table if exists "crm_core"."crm_assignment_rules" cascade;`);
    this.addSql(`drop table if exists "crm_core"."crm_tasks" cascade;`);
    this.addSql(`drop table if exists "crm_core"."core_role_assignments" cascade;`);
    this.addSql(`drop table if exists "crm_core"."crm_notifications" cascade;`);
    this.addSql(`drop table if exists "crm_core"."crm_activities" cascade;`);
    this.addSql(`drop table if exists "crm_core"."crm_accounts" cascade;`);
    this.addSql(`drop trigger if exists "open_leads" on "crm_core"."crm_leads";`);
    this.addSql(`drop function if exists "crm_core"."crm_leads_open_leads_fn"();`);
    this.addSql(`drop table if exists "crm_core"."crm_leads" cascade;`);
    this.addSql(`drop table if exists "crm_core"."crm_qualification_evidence" cascade;`);
    this.addSql(`drop table if exists "crm_core"."crm_property_interests" cascade;`);
    this.addSql(`drop table if exists "crm_core"."crm_lead_steps" cascade;`);
    this.addSql(`drop table if exists "crm_core"."crm_lead_scores" cascade;`);
    this.addSql(`drop table if exists "crm_core"."crm_lead_assignments" cascade;`);
    this.addSql(`drop table if exists "crm_core"."crm_contacts" cascade;`);
  }
}
