import type { SupportPlan } from './plan.ts';

/** Support of Acme: German and English, a team for machines in the field, enterprise customers around the clock. */
export const acmeSupport: SupportPlan = {
  people: [
    {
      login: 'support1',
      fullName: 'Sami Beck',
      role: 'support',
      roundTheClock: true,
      skills: ['german', 'english', 'billing'],
    },
    {
      login: 'support2',
      fullName: 'Hanna Reuter',
      role: 'support',
      skills: ['german', 'billing'],
      ticketCapacity: 40,
    },
    { login: 'support3', fullName: 'Jonas Adler', role: 'support', skills: ['german', 'english', 'technical'] },
    {
      login: 'support4',
      fullName: 'Leyla Demir',
      role: 'support',
      roundTheClock: true,
      weight: 2,
      skills: ['german', 'english', 'turkish', 'technical'],
    },
    { login: 'support5', fullName: 'Anton Pohl', role: 'support', skills: ['german', 'polish', 'technical'] },
  ],
  teams: [
    { name: 'Customer care', manager: 'manager2', members: ['support1', 'support2', 'support3'] },
    { name: 'Field engineering', manager: 'manager2', members: ['support3', 'support4', 'support5'] },
  ],
  policies: [
    {
      name: 'Enterprise',
      when: 'segment == "enterprise"',
      inBusinessHours: false,
      targets: {
        P1: { first_response: 15, next_response: 30, resolution: 240 },
        P2: { first_response: 60, next_response: 120, resolution: 720 },
        P3: { first_response: 240, next_response: 480, resolution: 2_880 },
        P4: { first_response: 480, next_response: 960, resolution: 5_760 },
      },
      escalation: [
        { target: 'first_response', afterMinutes: 0, clock: 'wall', action: 'notify_assignee' },
        { target: 'first_response', afterMinutes: 15, clock: 'wall', action: 'notify_manager' },
        { target: 'first_response', afterMinutes: 30, clock: 'wall', action: 'reassign' },
        { target: 'resolution', afterMinutes: 0, clock: 'wall', action: 'notify_manager' },
        { target: 'resolution', afterMinutes: 120, clock: 'wall', action: 'raise_priority' },
      ],
    },
    {
      name: 'Standard',
      when: 'true',
      inBusinessHours: true,
      targets: {
        P1: { first_response: 60, next_response: 120, resolution: 480 },
        P2: { first_response: 240, next_response: 240, resolution: 960 },
        P3: { first_response: 480, next_response: 480, resolution: 2_400 },
        P4: { first_response: 960, next_response: 960 },
      },
      escalation: [
        { target: 'first_response', afterMinutes: 0, clock: 'business', action: 'notify_assignee' },
        { target: 'resolution', afterMinutes: 0, clock: 'business', action: 'notify_manager' },
      ],
    },
  ],
  rules: [
    {
      name: 'Machines that stand still',
      when: 'category == "technical" || "technical" in skills',
      team: 'Field engineering',
      strategy: 'weighted',
    },
    {
      name: 'Urgent and enterprise',
      when: 'priority == "P1" || segment == "enterprise"',
      team: 'Customer care',
      strategy: 'least_loaded',
    },
    { name: 'Every other ticket', when: 'true', team: 'Customer care', strategy: 'round_robin' },
  ],
  articles: [
    {
      title: 'Change the address on your invoices',
      slug: 'change-invoice-address',
      summary: 'Where the address of invoices is kept, and what happens to invoices that are out already.',
      body:
        '# Change the address on your invoices\n\nOpen **Account → Billing** and enter the new address. It holds for ' +
        'every invoice from then on.\n\nAn invoice that is out already is corrected on request: answer this mail with its number.',
      category: 'billing',
      labels: ['invoice', 'address'],
    },
    {
      title: 'The machine shows error E17',
      slug: 'error-e17',
      summary: 'E17 means that the pressure sensor is not read. Three steps that help in most cases.',
      body:
        '# The machine shows error E17\n\n1. Switch the machine off for thirty seconds.\n2. Check the plug of the pressure ' +
        'sensor behind the left panel.\n3. Switch it on again and wait for the green lamp.\n\nIf E17 comes back, open a ticket with the serial number.',
      category: 'technical',
      labels: ['error', 'sensor', 'e17'],
    },
    {
      title: 'Reset your password',
      slug: 'reset-your-password',
      summary: 'You reset your password yourself; the link holds for an hour.',
      body: '# Reset your password\n\nChoose **Forgotten password** on the sign-in page. The link in the mail holds for one hour.',
      category: 'access',
      labels: ['password', 'sign-in'],
    },
  ],
};
