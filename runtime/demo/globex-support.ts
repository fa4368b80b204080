import type { SupportPlan } from './plan.ts';

/** Support of Globex: one desk in New York, with Spanish, and enterprise customers around the clock. */
export const globexSupport: SupportPlan = {
  people: [
    {
      login: 'support1',
      fullName: 'Sam Whitfield',
      role: 'support',
      roundTheClock: true,
      skills: ['english', 'billing', 'technical'],
    },
    { login: 'support2', fullName: 'Valentina Cruz', role: 'support', skills: ['english', 'spanish', 'billing'] },
    {
      login: 'support3',
      fullName: 'Andre Baptiste',
      role: 'support',
      skills: ['english', 'technical'],
      ticketCapacity: 15,
    },
    {
      login: 'support4',
      fullName: 'Wren Takahashi',
      role: 'support',
      roundTheClock: true,
      skills: ['english', 'spanish', 'technical'],
    },
  ],
  teams: [
    {
      name: 'Help desk',
      manager: 'manager2',
      members: ['support1', 'support2', 'support3', 'support4'],
    },
  ],
  policies: [
    {
      name: 'Enterprise',
      when: 'segment == "enterprise"',
      inBusinessHours: false,
      targets: {
        P1: { first_response: 15, next_response: 30, resolution: 180 },
        P2: { first_response: 60, next_response: 90, resolution: 480 },
        P3: { first_response: 180, next_response: 240, resolution: 1_440 },
        P4: { first_response: 480, resolution: 4_320 },
      },
      escalation: [
        { target: 'first_response', afterMinutes: 0, clock: 'wall', action: 'notify_manager' },
        { target: 'resolution', afterMinutes: 0, clock: 'wall', action: 'notify_administrators' },
      ],
    },
    {
      name: 'Everybody else',
      when: 'true',
      inBusinessHours: true,
      targets: {
        P1: { first_response: 60, next_response: 60, resolution: 480 },
        P2: { first_response: 120, next_response: 240, resolution: 960 },
        P3: { first_response: 480, next_response: 480, resolution: 2_400 },
        P4: { first_response: 960 },
      },
      escalation: [{ target: 'first_response', afterMinutes: 60, clock: 'business', action: 'reassign' }],
    },
  ],
  rules: [
    { name: 'Enterprise first', when: 'segment == "enterprise"', team: 'Help desk', strategy: 'least_loaded' },
    { name: 'Everything else', when: 'true', team: 'Help desk', strategy: 'round_robin' },
  ],
  articles: [
    {
      title: 'Where is my order?',
      slug: 'where-is-my-order',
      summary: 'How to follow a delivery, and what to do when it is late.',
      body:
        '# Where is my order?\n\nThe tracking link is in the mail that said that your order was shipped.\n\nIs it more than two ' +
        'business days late? Open a ticket with the order number; we ask the carrier.',
      category: 'delivery',
      labels: ['order', 'tracking'],
    },
    {
      title: 'Get a copy of an invoice',
      slug: 'copy-of-an-invoice',
      summary: 'Invoices of the last seven years can be downloaded.',
      body: '# Get a copy of an invoice\n\nOpen **Account → Invoices** and choose **Download**. For older ones, open a ticket.',
      category: 'billing',
      labels: ['invoice'],
    },
  ],
};
