import { Migration } from '@mikro-orm/migrations';

export class Migration20261121140507_undelivered_replies extends Migration {
  override name = 'Migration20261121140507_undelivered_replies';

  override up(): void | Promise<void> {
    this.addSql(
      `alter table "crm_core"."crm_conversation_messages" add "undelivered_at" timestamptz(3) null, add "undelivered_reason" varchar(500) null;`,
    );
  }

  override down(): void | Promise<void> {
    this.addSql(
      `alter table "crm_core"."crm_conversation_messages" drop column "undelivered_at", drop column "undelivered_reason";`,
    );
  }
}
