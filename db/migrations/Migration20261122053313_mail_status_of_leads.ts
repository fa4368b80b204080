import { Migration } from '@mikro-orm/migrations';

/** What is known of a lead's own mail: once read from its person, whose mail may be another. */
export class Migration20261122053313_mail_status_of_leads extends Migration {
  override name = 'Migration20261122053313_mail_status_of_leads';

  override up(): void | Promise<void> {
    this.addSql(`alter table "crm_core"."crm_leads" add "email_status" text not null default 'unknown';`);
    this.addSql(
      `alter table "crm_core"."crm_leads" add constraint "crm_leads_email_status_check" check ("email_status" in ('accepts', 'rejects', 'unknown'));`,
    );
    // The owner is under row-level security as well; the relay's role sees every organisation.
    this.addSql('set local role crm_relay;');
    this.addSql(
      `update crm_core.crm_leads l set email_status = p.email_status from crm_core.crm_people p
       where p.person_id = l.person_id and p.primary_email = l.email and p.email_status <> 'unknown';`,
    );
    this.addSql('reset role;');
  }

  override down(): void | Promise<void> {
    this.addSql(`alter table "crm_core"."crm_leads" drop constraint "crm_leads_email_status_check";`);
    this.addSql(`alter table "crm_core"."crm_leads" drop column "email_status";`);
  }
}
