import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createAdaptorServer } from '@hono/node-server';
import { Hono } from 'hono';
import { Client, Pool } from 'pg';
import { getRequest } from './capture.ts';
import type { BenchInstallation } from './installation.ts';
import { atConcurrency, median, percentile } from './load.ts';
import type { Figure } from './report.ts';

const rounds = 5;
const sizes = { acme: 1_000_000, globex: 10_000 } as const;
const columns =
  'lead_id as id, full_name, email, phone, company, source_system, status, stage, score, assigned_user_id, created_at';
const fields = 'fullName,email,phone,company,source,status,stage,score,assignedUserId,createdAt';

/**
 * Each: the query string of the product, and the condition by hand; `zanzibar` is as rare in both sizes, `company` in every
 * lead. Whoever looks for something rare by hand finds it first and sorts afterwards: left to the statistics of the day,
 * PostgreSQL may walk a million leads in their order instead.
 */
const queries = {
  list: { product: `limit=50&fields=${fields}`, sql: `true` },
  filter: {
    product: `limit=50&fields=${fields}&filter%5Bstage%5D%5Beq%5D=touched&filter%5Bscore%5D%5Bgte%5D=50`,
    sql: `stage = 'touched' and score >= 50`,
  },
  search: {
    product: `limit=50&fields=${fields}&q=zanzibar`,
    sql: `(to_tsvector('simple', search_text) @@ websearch_to_tsquery('simple', 'zanzibar') or search_text like '%zanzibar%')`,
    isRare: true,
  },
  'search for a word in every lead': {
    product: `limit=50&fields=${fields}&q=company`,
    sql: `(to_tsvector('simple', search_text) @@ websearch_to_tsquery('simple', 'company') or search_text like '%company%')`,
  },
} as const satisfies Record<string, { product: string; sql: string; isRare?: true }>;

const pathOf = (name: string): string => `/${name.replaceAll(' ', '-')}`;

const legend =
  'By hand: one statement through `pg` behind the same HTTP server, by the owner of the tables: no token, no rights, no row-level security, no limits. Medians of 4 clients at once.';

/** List, filter and search over a million leads, against ten thousand, and against SQL by hand behind the same server. */
export async function measureLists(
  { api, databaseUrl, ...installation }: BenchInstallation,
  seconds: number,
): Promise<Figure[]> {
  await fill(databaseUrl, {
    acme: await installation.organizationId('acme'),
    globex: await installation.organizationId('globex'),
  });
  const tokens = { large: await installation.token('acme'), small: await installation.token('globex') };
  const byHand = await serveByHand(databaseUrl, await installation.organizationId('acme'));
  process.stderr.write('measuring lists\n');
  try {
    const figures: Figure[] = [];
    for (const [name, { product }] of Object.entries(queries)) {
      const runs: { large: number; small: number; hand: number }[] = [];
      for (let round = 0; round < rounds; round += 1) {
        const large = await usualTime(`${api}/crm/v1/leads?${product}`, tokens.large, seconds);
        const small = await usualTime(`${api}/crm/v1/leads?${product}`, tokens.small, seconds);
        const hand = await usualTime(`${byHand.url}${pathOf(name)}`, tokens.large, seconds);
        runs.push({ large, small, hand });
      }
      figures.push(
        {
          name: `${name}: 1,000,000 leads against 10,000`,
          value: median(runs.map(({ large, small }) => large / small)),
          unit: '×',
          limit: { most: 2 },
        },
        {
          name: `${name}: 1,000,000 leads against SQL by hand`,
          value: median(runs.map(({ large, hand }) => large / hand)),
          unit: '×',
          limit: { most: 2 },
        },
      );
    }
    return figures.map((figure, index) => (index === figures.length - 1 ? { ...figure, detail: legend } : figure));
  } finally {
    await byHand.stop();
  }
}

/** The median of four clients at once, in milliseconds. Throws unless every answer is 200: a refusal is no fast answer. */
async function usualTime(url: string, token: string, seconds: number): Promise<number> {
  const measured = await atConcurrency(4, seconds, getRequest(url, token));
  const [wrong] = Object.keys(measured.unexpected);
  if (wrong) throw new Error(`${url} answered ${wrong}`);
  return percentile(measured, 0.5);
}

/** What one would write without the product: the same server and driver, one statement, no rights and no checks. */
async function serveByHand(databaseUrl: string, organizationId: string) {
  const pool = new Pool({ connectionString: databaseUrl, max: 10, options: '-c search_path=crm_core,public' });
  const app = new Hono();
  for (const [name, { sql, ...kind }] of Object.entries(queries)) {
    const statement = `
      with found as ${'isRare' in kind ? 'materialized' : 'not materialized'} (
        select * from crm_core.crm_leads where organization_id = $1 and deleted_at is null and ${sql})
      select ${columns} from found order by created_at desc, lead_id desc limit 51`;
    app.get(pathOf(name), async (context) => {
      const { rows } = await pool.query(statement, [organizationId]);
      return context.json({ data: rows.slice(0, 50), hasMore: rows.length > 50 });
    });
  }
  const server = createAdaptorServer({ fetch: app.fetch, createServer });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    async stop() {
      await new Promise((closed) => server.close(closed));
      await pool.end();
    },
  };
}

/** Leads as captures leave them, without their processes: reading does not ask for those. */
async function fill(databaseUrl: string, organizations: Record<keyof typeof sizes, string>): Promise<void> {
  const client = new Client({
    connectionString: databaseUrl,
    options: '-c search_path=crm_core,public -c maintenance_work_mem=512MB',
  });
  await client.connect();
  // Indexes over a million rows are made in a fraction of the time that it takes to keep them row by row.
  const { rows: indexes } = await client.query<{ name: string; definition: string }>(
    `select indexrelid::regclass::text as name, pg_get_indexdef(indexrelid) as definition
     from pg_index where indrelid = 'crm_core.crm_leads'::regclass and not indisunique`,
  );
  await client.query(`drop index ${indexes.map(({ name }) => name).join(', ')}`);
  for (const [slug, organizationId] of Object.entries(organizations)) {
    const rows = sizes[slug as keyof typeof sizes];
    process.stderr.write(`filling ${slug} with ${rows} leads\n`);
    const { rows: people } = await client.query<{ id: string }>(
      'select person_id as id from crm_core.crm_people where organization_id = $1 limit 1',
      [organizationId],
    );
    const personId = people[0]?.id ?? (await makePerson(client, organizationId));
    await client.query(
      `insert into crm_core.crm_leads (lead_id, organization_id, person_id, full_name, email, phone, company, source_system, status, stage, score, captured_at,
         round, engagement_count, created_at, created_by, updated_at, updated_by, version)
       select uuidv7(make_interval(secs => i - $3)), $1, $2,
         (array['Ada','Grace','Alan','Edsger','Barbara','Donald','Tony','Frances'])[1 + i % 8] || ' ' || (array['Meier','Schmidt','Jones','Garcia','Rossi','Dubois','Novak'])[1 + i % 7]
           || case when i % $4 = 0 then ' Zanzibar' else '' end,
         'person' || i || '@company' || i % 5000 || '.example', '+4930' || 1000000 + i, 'Company ' || i % 5000, (array['website','fair','partner','import'])[1 + i % 4],
         'open', (array['assigned','assigned','assigned','touched'])[1 + i % 4], i % 101, now() - make_interval(secs => $3 - i),
         1, 0, now() - make_interval(secs => $3 - i), 'bench', now(), 'bench', 1
       from generate_series(1, $3::int) i`,
      [organizationId, personId, rows, Math.floor(rows / 20)],
    );
  }
  for (const { definition } of indexes) await client.query(definition);
  await client.query('vacuum analyze crm_core.crm_leads');
  await client.end();
}

async function makePerson(client: Client, organizationId: string): Promise<string> {
  const { rows } = await client.query<{ id: string }>(
    `insert into crm_core.crm_people (person_id, organization_id, full_name, email_status, persona_labels, created_at, created_by, updated_at, updated_by, version)
     values (uuidv7(), $1, 'Bench', 'unknown', '{}', now(), 'bench', now(), 'bench', 1) returning person_id as id`,
    [organizationId],
  );
  return rows[0]?.id ?? '';
}
