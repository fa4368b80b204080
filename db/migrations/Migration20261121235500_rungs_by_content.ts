import { Migration } from '@mikro-orm/migrations';

const rungs = `crm_core.crm_tickets t cross join lateral jsonb_array_elements(t.sla_terms -> 'escalation') with ordinality r(rung, place)`;
const byPlace = `'rung_' || r.place`;
const byContent = `'rung_' || (r.rung ->> 'action') || '_' || (r.rung ->> 'afterMinutes') || case when r.rung ->> 'clock' = 'wall' then '_wall' else '' end`;

const renamed = (from: string, to: string) => `
  update crm_core.crm_ticket_steps s set step = ${to} from ${rungs}
  where t.organization_id = s.organization_id and t.ticket_id = s.ticket_id and s.target = r.rung ->> 'target' and s.step = ${from}
    and r.place = (select min(o.place) from jsonb_array_elements(t.sla_terms -> 'escalation') with ordinality o(rung, place) where o.rung = r.rung);`;

/** Rungs of the ladder that tickets have climbed: once known by their place in it, which another ladder changes. */
export class Migration20261121235500_rungs_by_content extends Migration {
  override name = 'Migration20261121235500_rungs_by_content';

  override up(): void | Promise<void> {
    this.rename(byPlace, byContent);
  }

  override down(): void | Promise<void> {
    this.rename(byContent, byPlace);
  }

  private rename(from: string, to: string): void {
    // The owner is under row-level security as well; the relay's role sees every organisation.
    this.addSql('set local role crm_relay;');
    this.addSql(renamed(from, to));
    this.addSql('reset role;');
  }
}
