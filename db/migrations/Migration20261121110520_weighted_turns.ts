import { Migration } from '@mikro-orm/migrations';

export class Migration20261121110520_weighted_turns extends Migration {
  override name = 'Migration20261121110520_weighted_turns';

  override up(): void | Promise<void> {
    this.addSql(`alter table "crm_core"."crm_team_members" add "weighted_turns" double precision not null default 0;`);
    // The owner is under row-level security as well; the relay's role sees every organisation.
    this.addSql('set local role crm_relay;');
    this.addSql(
      'update crm_core.crm_team_members m set weighted_turns = m.turns / u.weight from crm_core.crm_users u where u.user_id = m.user_id;',
    );
    this.addSql('reset role;');
  }

  override down(): void | Promise<void> {
    this.addSql(`alter table "crm_core"."crm_team_members" drop column "weighted_turns";`);
  }
}
