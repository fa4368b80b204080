import { Migration } from '@mikro-orm/migrations';

export class Migration20261121234449_leads_that_wait extends Migration {
  override name = 'Migration20261121234449_leads_that_wait';

  override up(): void | Promise<void> {
    this.addSql(`alter table "crm_core"."crm_leads" add "likely_duplicates" int not null default 0;`);
    this.addSql(
      `create index "crm_leads_waiting" on "crm_core"."crm_leads" (organization_id, captured_at, lead_id) where status = 'open' and assigned_user_id is null and deleted_at is null;`,
    );

    this.addSql(`alter table "crm_core"."crm_lead_assignments" alter column "user_id" drop not null;`);
    this.addSql(
      `create index "crm_lead_assignments_lead" on "crm_core"."crm_lead_assignments" (organization_id, lead_id, decided_at desc);`,
    );
    // Decisions that found nobody belong to the round that they did not begin. Indexes are compared by their names alone.
    this.addSql(`drop index "crm_core"."crm_lead_assignments_lead_id_round_unique";`);
    this.addSql(
      `create unique index "crm_lead_assignments_lead_id_round_unique" on "crm_core"."crm_lead_assignments" (organization_id, lead_id, round) where user_id is not null and deleted_at is null;`,
    );
  }

  override down(): void | Promise<void> {
    // The owner is under row-level security as well; the relay's role sees every organisation.
    this.addSql('set local role crm_relay;');
    this.addSql(`delete from crm_core.crm_lead_assignments where user_id is null;`);
    this.addSql(`update crm_core.crm_leads set next_step = null, next_due_at = null where next_step = 'find_owner';`);
    this.addSql('reset role;');
    this.addSql(`drop index "crm_core"."crm_lead_assignments_lead_id_round_unique";`);
    this.addSql(
      `create unique index "crm_lead_assignments_lead_id_round_unique" on "crm_core"."crm_lead_assignments" ("organization_id", "lead_id", "round") where "deleted_at" is null;`,
    );
    this.addSql(`drop index "crm_core"."crm_lead_assignments_lead";`);
    this.addSql(`alter table "crm_core"."crm_lead_assignments" alter column "user_id" set not null;`);

    this.addSql(`drop index "crm_core"."crm_leads_waiting";`);
    this.addSql(`alter table "crm_core"."crm_leads" drop column "likely_duplicates";`);
  }
}
