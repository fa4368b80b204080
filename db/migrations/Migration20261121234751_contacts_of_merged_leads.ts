import { Migration } from '@mikro-orm/migrations';

export class Migration20261121234751_contacts_of_merged_leads extends Migration {
  override name = 'Migration20261121234751_contacts_of_merged_leads';

  override up(): void | Promise<void> {
    this.addSql(
      `create index "crm_leads_merged_email" on "crm_core"."crm_leads" (organization_id, email, created_at desc) where status = 'merged' and deleted_at is null;`,
    );
    this.addSql(
      `create index "crm_leads_merged_phone" on "crm_core"."crm_leads" (organization_id, phone, normalized_name, created_at desc) where status = 'merged' and deleted_at is null;`,
    );
  }

  override down(): void | Promise<void> {
    this.addSql(`drop index "crm_core"."crm_leads_merged_email";`);
    this.addSql(`drop index "crm_core"."crm_leads_merged_phone";`);
  }
}
