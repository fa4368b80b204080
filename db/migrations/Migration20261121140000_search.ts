import { Migration } from '@mikro-orm/migrations';

/** Search by index under row-level security (docs/decisions.md, "A search asks the index as another role"). */
export class Migration20261121140000_search extends Migration {
  override name = 'Migration20261121140000_search';

  override up(): void {
    // Of one word of letters and digits every whole word is a part as well, and comparing words costs ten times as much.
    this.addSql(`
      create function crm_core.matches(value text, wanted text) returns boolean
      language sql immutable parallel safe
      as $$
        select case when wanted ~ '^[A-Za-z0-9]+$' then value like '%' || crm_core.fold(wanted) || '%'
          else to_tsvector('pg_catalog.simple', value) @@ websearch_to_tsquery('pg_catalog.simple', crm_core.fold(wanted))
            or value like '%' || regexp_replace(crm_core.fold(wanted), '([\\\\%_])', '\\\\\\1', 'g') || '%' end
      $$`);
    this.addSql(`
      create function crm_core.matching_rows(searched text, wanted text) returns uuid[]
      language plpgsql stable security definer
      set search_path = pg_catalog, pg_temp
      as $$
      declare
        organization constant uuid := nullif(current_setting('crm.organization_id', true), '')::uuid;
        key text;
        found uuid[];
      begin
        select a.attname into key
        from pg_class t
          join pg_index i on i.indrelid = t.oid and i.indisprimary
          join pg_attribute a on a.attrelid = t.oid and a.attnum = i.indkey[0]
        where t.relnamespace = 'crm_core'::regnamespace and t.relkind = 'r' and t.relname = searched;
        if key is null then raise exception 'crm_core has no table %', searched; end if;
        execute format(
          'select array(select %I from crm_core.%I where organization_id = $1 and deleted_at is null and crm_core.matches(search_text, $2))',
          key, searched) into found using organization, wanted;
        return found;
      end $$`);
    this.addSql('revoke execute on function crm_core.matching_rows(text, text) from public');
    this.addSql('grant execute on function crm_core.matching_rows(text, text) to crm_app');
    // Whoever owns a function must be allowed to make one at the moment of becoming it.
    this.addSql('grant create on schema crm_core to crm_relay');
    this.addSql('alter function crm_core.matching_rows(text, text) owner to crm_relay');
    this.addSql('revoke create on schema crm_core from crm_relay');
  }

  override down(): void {
    this.addSql('drop function crm_core.matching_rows(text, text)');
    this.addSql('drop function crm_core.matches(text, text)');
  }
}
