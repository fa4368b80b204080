import { Migration } from '@mikro-orm/migrations';

/** What the tables stand on: extensions, text folding, privileges of the two roles. All of it within `crm_core`. */
export class Migration20261121000000_foundations extends Migration {
  override name = 'Migration20261121000000_foundations';

  override up(): void {
    this.addSql('create extension if not exists pg_trgm with schema crm_core');
    this.addSql('create extension if not exists unaccent with schema crm_core');
    // unaccent() is only stable, since its dictionary could be changed; ours is not, and indexes need immutable.
    this.addSql(`
      create function crm_core.fold(value text) returns text
      language sql immutable strict parallel safe
      set search_path = crm_core, public
      as $$ select lower(unaccent('unaccent', value)) $$`);
    this.addSql('grant usage on schema crm_core to crm_app, crm_relay');
    this.addSql(
      'alter default privileges in schema crm_core grant select, insert, update, delete on tables to crm_app, crm_relay',
    );
  }

  override down(): void {
    this.addSql(
      'alter default privileges in schema crm_core revoke select, insert, update, delete on tables from crm_app, crm_relay',
    );
    this.addSql('revoke usage on schema crm_core from crm_app, crm_relay');
    this.addSql('drop function crm_core.fold(text)');
    // An extension that another product had installed before lives elsewhere and stays.
    this.addSql(`
      do $$ declare name text; begin
        for name in select extname from pg_extension where extname in ('pg_trgm', 'unaccent') and extnamespace = 'crm_core'::regnamespace loop
          execute format('drop extension %I', name);
        end loop;
      end $$`);
  }
}
