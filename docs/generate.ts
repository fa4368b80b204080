/**
 * Writes the pages that are made from declarations: `docs/processes.md` (each process: stages, messages, who may send
 * them) and `docs/permissions.md` (the roles' grants). `npm run docs`; `--check` fails when a page is not current.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { grantedScope, permissions, type Permission, roles } from '../workflows/access/permissions.ts';
import { leadTransitions } from '../workflows/leads/policy.ts';
import { processes } from '../workflows/processes/registry.ts';
import { ticketTransitions } from '../workflows/tickets/policy.ts';
import type { Process } from '../workflows/processes/messages.ts';

const transitions: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
  lead: leadTransitions,
  ticket: ticketTransitions,
};
const made = '<!-- Made by `npm run docs` from the declarations; change those. -->';

const pages = { 'processes.md': processesPage(), 'permissions.md': permissionsPage() };
const stale: string[] = [];
for (const [name, text] of Object.entries(pages)) {
  const path = fileURLToPath(new URL(name, import.meta.url));
  if (!process.argv.includes('--check')) writeFileSync(path, text);
  else if (readOrEmpty(path) !== text) stale.push(`docs/${name}`);
}
if (stale.length > 0) {
  process.stderr.write(`Not current: ${stale.join(', ')}. Run \`npm run docs\` and commit the result.\n`);
  process.exitCode = 1;
}

function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

function processesPage(): string {
  return [`# Processes`, made, ...Object.values(processes).flatMap(processSection), '']
    .join('\n\n')
    .replace(/\n+$/, '\n');
}

function processSection(process: Process): string[] {
  const arrows = Object.entries(transitions[process.name] ?? {}).flatMap(([from, targets]) =>
    targets.map((to) => `  ${from} --> ${to}`),
  );
  const ends = process.finalStages.map((stage) => `  ${stage} --> [*]`);
  const first = process.stages[0] ?? '';
  return [
    `## ${process.name}`,
    `Workflow \`${process.workflowType}\`, ID \`${process.workflowId('{id}')}\`. State: \`GET /crm/v1/${process.path}/{id}/process\`.`,
    ['```mermaid', 'stateDiagram-v2', `  [*] --> ${first}`, ...arrows, ...ends, '```'].join('\n'),
    [
      '| Message | What it does | Legal while | Permission | Payload |',
      '| --- | --- | --- | --- | --- |',
      ...Object.entries(process.messages).map(
        ([name, { summary, stages, permission, payload }]) =>
          `| \`${name}\` | ${summary} | ${stages.join(', ')} | \`${permission}\` | ${
            Object.keys(payload.shape)
              .map((field) => `\`${field}\``)
              .join(', ') || 'none'
          } |`,
      ),
    ].join('\n'),
    `Every message is a command \`POST /crm/v1/${process.path}/{id}/{message}\`, a Temporal Update and a Temporal Signal of the same name. Signals from inside the product: ${Object.entries(
      process.signals,
    )
      .map(([name, { summary }]) => `\`${name}\` (${summary})`)
      .join(' ')}`,
  ];
}

function permissionsPage(): string {
  const names = Object.keys(permissions) as Permission[];
  const cell = (role: string, name: Permission) => grantedScope([role], name) ?? '';
  return `${[
    '# Permissions',
    made,
    'How far each role reaches: `own` is what is assigned to or owned by the user and what hangs on it, `team` adds that of the teams the user manages, `all` is the organisation; empty is nothing.',
    [
      `| Permission | ${roles.join(' | ')} |`,
      `| --- |${roles.map(() => ' --- |').join('')}`,
      ...names.map((name) => `| \`${name}\` | ${roles.map((role) => cell(role, name)).join(' | ')} |`),
    ].join('\n'),
  ].join('\n\n')}\n`;
}
