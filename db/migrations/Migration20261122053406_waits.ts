import { Migration } from '@mikro-orm/migrations';

const terms = `'{"resolveAfterMinutes": 20160, "resumeAfterMinutes": 20160}'::jsonb`;
const names = `array['resolveAfterMinutes', 'resumeAfterMinutes']`;

/** A ticket that waits for its customer, or on hold, waits for so long alone. What waits already has the whole time from here. */
export class Migration20261122053406_waits extends Migration {
  override name = 'Migration20261122053406_waits';

  override up(): void | Promise<void> {
    this.addSql(
      `alter table "crm_core"."crm_sla_policies" add "resolve_after_minutes" int not null default 20160, add "resume_after_minutes" int not null default 20160;`,
    );
    this.addSql(
      `alter table "crm_core"."crm_tickets" add "waiting_since" timestamptz(3) null, add "wait_count" int not null default 0;`,
    );
    // The owner is under row-level security as well; the relay's role sees every organisation.
    this.addSql('set local role crm_relay;');
    this.addSql(
      `update crm_core.crm_sla_policies set applied_terms = applied_terms || ${terms} where applied_terms is not null;`,
    );
    this.addSql(`update crm_core.crm_tickets set sla_terms = sla_terms || ${terms} where sla_terms is not null;`);
    this.addSql(
      `update crm_core.crm_tickets set waiting_since = now(), wait_count = 1 where status in ('waiting_for_customer', 'on_hold');`,
    );
    // Their processes plan the end of the wait when they hear of it.
    this.addSql(
      `insert into crm_core.crm_outbox (event_id, organization_id, kind, subject_type, subject_id, payload, occurred_at, created_at, created_by, updated_at, updated_by)
       select gen_random_uuid(), organization_id, 'ticket.updated', 'ticket', ticket_id, '{"fields": ["waitingSince"]}', now(), now(), 'migration', now(), 'migration'
       from crm_core.crm_tickets where waiting_since is not null and deleted_at is null;`,
    );
    this.addSql('reset role;');
  }

  override down(): void | Promise<void> {
    this.addSql('set local role crm_relay;');
    this.addSql(
      `update crm_core.crm_sla_policies set applied_terms = applied_terms - ${names} where applied_terms is not null;`,
    );
    this.addSql(`update crm_core.crm_tickets set sla_terms = sla_terms - ${names} where sla_terms is not null;`);
    this.addSql(
      `update crm_core.crm_tickets set next_step = null, next_due_at = null where next_step in ('resolve', 'resume');`,
    );
    this.addSql('reset role;');
    this.addSql(`alter table "crm_core"."crm_tickets" drop column "waiting_since", drop column "wait_count";`);
    this.addSql(
      `alter table "crm_core"."crm_sla_policies" drop column "resolve_after_minutes", drop column "resume_after_minutes";`,
    );
  }
}
