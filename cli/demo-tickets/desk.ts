import { randomBytes, randomUUID } from 'node:crypto';
import type { ApiClient, Reply } from '../capture/client.ts';
import { CommandFailed } from '../output.ts';
import { demonstrationTargets, type Life } from './lives.ts';

/** A support desk of the demonstration's own, which gets its tickets and no others. */
export interface Desk {
  /** What a ticket of this life is opened with. */
  ticketOf(life: Life, place: number): Record<string, unknown>;
  /** Ends the rules, policies and agents of this desk, so that nothing of the organisation's own follows them. */
  close(): Promise<void>;
}

/** What an API call answered, or CommandFailed with why not. */
export function answerOf(what: string, reply: Reply): Record<string, unknown> {
  if (reply.kind !== 'answered') throw new CommandFailed(`${what}: the API does not answer.`);
  if (reply.status < 300) return reply.body;
  const { detail, errors } = reply.body;
  const places = Array.isArray(errors) ? ` ${JSON.stringify(errors)}` : '';
  throw new CommandFailed(`${what}: ${reply.status} ${typeof detail === 'string' ? detail : ''}${places}`);
}

/**
 * Makes the desk as an administrator: three agents for everything, one for French with room for one ticket, and 24×7
 * policies with targets of one to three minutes, one of which pauses the resolution alone.
 */
export async function openDesk(admin: ApiClient): Promise<Desk> {
  const mark = randomBytes(3).toString('hex');
  const category = `demonstration ${mark}`;
  const resolutionOnly = `${category}, resolution only`;
  const made: { path: string; version: number }[] = [];

  /** Makes a record; those that can be switched off are switched off in the end. */
  async function make(path: string, body: Record<string, unknown>, lasts = false): Promise<string> {
    const record = answerOf(`Making one of ${path}`, await admin.post(`/crm/v1/${path}`, randomUUID(), body));
    const id = String(record['id']);
    if (!lasts) made.unshift({ path: `/crm/v1/${path}/${id}`, version: Number(record['version']) });
    return id;
  }
  const makeAgent = (name: string, values: Record<string, unknown>) =>
    make('users', {
      fullName: `${name} (demonstration ${mark})`,
      email: `${name.toLowerCase()}-${mark}@demonstration.example`,
      ...values,
    });
  async function makeTeam(name: string, members: readonly string[]): Promise<string> {
    const teamId = await make('teams', { name: `${name} ${mark}` }, true);
    for (const [position, userId] of members.entries()) await make('team-members', { teamId, userId, position }, true);
    return teamId;
  }

  const agents: string[] = [];
  for (const name of ['Alva', 'Boris', 'Chiara']) agents.push(await makeAgent(name, { ticketCapacity: 1_000 }));
  const general = await makeTeam('Demonstration', agents);
  const french = await makeTeam('Demonstration French', [
    await makeAgent('Delphine', { skills: ['french'], ticketCapacity: 1 }),
  ]);
  const policy = {
    position: 0,
    targets: demonstrationTargets,
    escalation: [
      { target: 'first_response', afterMinutes: 0, clock: 'wall', action: 'notify_assignee' },
      { target: 'resolution', afterMinutes: 0, clock: 'wall', action: 'notify_assignee' },
    ],
    closeAfterMinutes: 1,
    resolveAfterMinutes: 1,
  };
  const isOf = (value: string) => `category == "${value}"`;
  await make('sla-policies', { ...policy, name: `Demonstration ${mark}`, when: isOf(category) });
  await make('sla-policies', {
    ...policy,
    name: `Demonstration ${mark}, resolution only`,
    when: isOf(resolutionOnly),
    pausedTargets: ['resolution'],
  });
  const mine = `(${isOf(category)} || ${isOf(resolutionOnly)})`;
  const rule = { position: 0, strategy: 'least_loaded' };
  const ruleOf = (name: string, when: string, teamId: string) =>
    make('ticket-routing-rules', { ...rule, name: `${name} ${mark}`, when, teamId });
  await ruleOf('Demonstration French', `${mine} && "french" in skills`, french);
  await ruleOf('Demonstration', `${mine} && !("french" in skills)`, general);

  return {
    ticketOf: ({ name, priority, needsFrench, pausesResolutionOnly }, place) => ({
      subject: `Demonstration: ${name}`,
      description: 'The machine shows error E17.',
      requester: { fullName: `Customer ${place}`, email: `customer-${place}-${mark}@demonstration.example` },
      channel: 'web',
      category: pausesResolutionOnly ? resolutionOnly : category,
      priority,
      skills: needsFrench ? ['french'] : [],
    }),
    async close() {
      for (const { path, version } of made)
        answerOf('Closing the desk', await admin.patch(path, randomUUID(), version, { active: false }));
    },
  };
}
