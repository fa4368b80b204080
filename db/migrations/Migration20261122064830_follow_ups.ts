import { Migration } from '@mikro-orm/migrations';

export class Migration20261122064830_follow_ups extends Migration {
  override name = 'Migration20261122064830_follow_ups';

  override up(): void | Promise<void> {
    this.addSql(
      `create index "crm_tickets_follow_ups" on "crm_core"."crm_tickets" (organization_id, follow_up_of_ticket_id) where follow_up_of_ticket_id is not null;`,
    );
  }

  override down(): void | Promise<void> {
    this.addSql(`drop index "crm_core"."crm_tickets_follow_ups";`);
  }
}
