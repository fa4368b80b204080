import { startInstallation } from './installation.ts';
import { measureLists } from './lists.ts';
import { keep, keepsLimit, markdown, type Section } from './report.ts';
import { measureSteady } from './steady.ts';
import { measureThroughput } from './throughput.ts';
import { measureTickets } from './tickets.ts';

/** `npm run bench [-- steady throughput lists tickets] [-- --quick]`: measures, prints the table, keeps it. Exit 1 on a missed limit. */
async function main(names: readonly string[], quick: boolean): Promise<void> {
  const wanted = (name: string) => names.length === 0 || names.includes(name);
  const installation = await startInstallation();
  const sections: Section[] = [];
  try {
    if (wanted('throughput'))
      sections.push({ title: 'Highest rate', figures: await measureThroughput(installation, quick ? 5 : 15) });
    // After the highest rate: a machine that cannot keep up would carry its backlog into it.
    if (wanted('steady'))
      sections.push({ title: 'Steady captures', figures: await measureSteady(installation, quick ? 20 : 120) });
    if (wanted('lists'))
      sections.push({ title: 'Reading a million leads', figures: await measureLists(installation, quick ? 1 : 4) });
    if (wanted('tickets'))
      sections.push({ title: 'Tickets', figures: await measureTickets(installation, quick ? 20 : 60) });
  } finally {
    await installation.stop();
  }
  process.stdout.write(`${markdown(sections)}\n`);
  if (!quick) await keep(sections);
  process.exitCode = sections.every(({ figures }) => figures.every(keepsLimit)) ? 0 : 1;
}

const given = process.argv.slice(2);
await main(
  given.filter((argument) => !argument.startsWith('--')),
  given.includes('--quick'),
);
