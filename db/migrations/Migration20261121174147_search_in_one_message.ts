import { Migration } from '@mikro-orm/migrations';

/** Tables with a search, and their keys. */
const searched = [
  ['crm_leads', 'lead_id'],
  ['crm_scoring_models', 'scoring_model_id'],
  ['crm_assignment_rules', 'assignment_rule_id'],
  ['crm_tickets', 'ticket_id'],
  ['crm_sla_policies', 'sla_policy_id'],
  ['crm_ticket_routing_rules', 'ticket_routing_rule_id'],
  ['crm_conversations', 'conversation_id'],
  ['crm_conversation_messages', 'conversation_message_id'],
  ['crm_attachments', 'attachment_id'],
  ['crm_articles', 'article_id'],
  ['crm_people', 'person_id'],
  ['crm_accounts', 'account_id'],
  ['crm_contacts', 'contact_id'],
  ['crm_activities', 'activity_id'],
  ['crm_tasks', 'task_id'],
  ['crm_notes', 'note_id'],
  ['crm_tags', 'tag_id'],
  ['crm_calendars', 'calendar_id'],
  ['crm_users', 'user_id'],
  ['crm_teams', 'team_id'],
  ['core_users', 'user_id'],
] as const;

/** A search is one message, and plans once for each connection whether its text is common (docs/decisions.md). */
export class Migration20261121174147_search_in_one_message extends Migration {
  override name = 'Migration20261121174147_search_in_one_message';

  override up(): void {
    for (const [table, key] of searched) {
      const live = `from crm_core.${table} where organization_id = organization and deleted_at is null`;
      const inOrder = `order by created_at desc, ${key} desc`;
      this.addSql(`
        create function crm_core.is_common_in_${table}(organization uuid, word text, wanted text) returns boolean
        language plpgsql set plan_cache_mode = force_generic_plan
        as $$ begin return (
          select count(*) filter (where hit) >= 3 and exists (select ${live} ${inOrder} offset 99)
          from (select
              (select created_at ${live} ${inOrder} limit 1) as newest,
              (select created_at ${live} order by created_at, ${key} limit 1) as oldest) as age,
            generate_series(0, 7) as place,
            lateral (
              select bool_or(case when word is null then crm_core.matches(search_text, wanted) else strpos(search_text, word) > 0 end) as hit
              from (select search_text ${live} and created_at <= newest - (newest - oldest) * (place / 8.0) ^ 3
                ${inOrder} limit 40) as place_rows) as hits);
        end $$`);
    }
    this.matchingRows(`
      if wanted ~ '^[A-Za-z0-9]+$' then word := crm_core.fold(wanted); end if;
      execute format('select crm_core.%I($1, $2, $3)', 'is_common_in_' || searched) into common using organization, word, wanted;
      if common then return null; end if;`);
    // Planned once the way is known, as the role that asks.
    this.addSql(`
      create function crm_core.open_search(searched text, wanted text, rows text, key text, ending text) returns void
      language plpgsql
      as $$
      declare
        search_page refcursor := 'search_page';
        ids constant uuid[] := crm_core.matching_rows(searched, wanted);
      begin
        if ids is null then
          open search_page for execute format('%s crm_core.matches("row".search_text, %L) %s', rows, wanted, ending);
        else
          open search_page for execute format('%s %s = any($1) %s', rows, key, ending) using ids;
        end if;
      end $$`);
  }

  override down(): void {
    this.addSql('drop function crm_core.open_search(text, text, text, text, text)');
    this.matchingRows('');
    for (const [table] of searched) this.addSql(`drop function crm_core.is_common_in_${table}(uuid, text, text)`);
  }

  /** Replaces the function with one that does `first` before it asks the index; owner and grants stay. */
  private matchingRows(first: string): void {
    this.addSql(`
      create or replace function crm_core.matching_rows(searched text, wanted text) returns uuid[]
      language plpgsql stable security definer
      set search_path = pg_catalog, pg_temp
      as $$
      declare
        organization constant uuid := nullif(current_setting('crm.organization_id', true), '')::uuid;
        key text;
        word text;
        common boolean;
        found uuid[];
      begin
        select a.attname into key
        from pg_class t
          join pg_index i on i.indrelid = t.oid and i.indisprimary
          join pg_attribute a on a.attrelid = t.oid and a.attnum = i.indkey[0]
        where t.relnamespace = 'crm_core'::regnamespace and t.relkind = 'r' and t.relname = searched;
        if key is null then raise exception 'crm_core has no table %', searched; end if;
        ${first}
        execute format(
          'select array(select %I from crm_core.%I where organization_id = $1 and deleted_at is null and crm_core.matches(search_text, $2))',
          key, searched) into found using organization, wanted;
        return found;
      end $$`);
  }
}
