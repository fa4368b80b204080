import { type OrganizationPlan, repCapacity } from './plan.ts';

const workday = [
  { from: '09:00', to: '12:30' },
  { from: '13:30', to: '18:00' },
];

/** Acme GmbH of Berlin: phones without a country code are German, and German holidays are free. */
export const acme: OrganizationPlan = {
  slug: 'acme',
  name: 'Acme GmbH',
  region: 'DE',
  businessHours: {
    name: 'Business hours Berlin',
    timeZone: 'Europe/Berlin',
    hours: { monday: workday, tuesday: workday, wednesday: workday, thursday: workday, friday: [{ from: '09:00', to: '15:00' }] },
    holidays: [
      { date: '2026-01-01', yearly: true },
      { date: '2026-05-01', yearly: true },
      { date: '2026-10-03', yearly: true },
      { date: '2026-12-25', yearly: true },
      { date: '2026-12-26', yearly: true },
      { date: '2027-03-26', yearly: false },
      { date: '2027-03-29', yearly: false },
      { date: '2027-05-06', yearly: false },
      { date: '2027-05-17', yearly: false },
    ],
    exceptions: [
      { date: '2026-12-24', hours: [{ from: '09:00', to: '12:00' }] },
      { date: '2026-12-31', hours: [{ from: '09:00', to: '12:00' }] },
    ],
  },
  people: [
    { login: 'admin', fullName: 'Ada Lindner', role: 'admin' },
    { login: 'manager1', fullName: 'Mara Vogt', role: 'manager', capacity: repCapacity },
    { login: 'manager2', fullName: 'Milan Horn', role: 'manager', capacity: repCapacity },
    { login: 'rep1', fullName: 'Jana Winter', role: 'sales_rep', capacity: repCapacity, skills: ['german', 'english'] },
    { login: 'rep2', fullName: 'Emil Krause', role: 'sales_rep', capacity: repCapacity, skills: ['german'] },
    { login: 'rep3', fullName: 'Zoë Brandt', role: 'sales_rep', capacity: repCapacity, skills: ['german', 'french'] },
    { login: 'rep4', fullName: 'Paul Seidel', role: 'sales_rep', capacity: repCapacity, skills: ['german', 'polish'] },
    { login: 'rep5', fullName: 'Lena Schäfer', role: 'sales_rep', capacity: repCapacity, weight: 2, skills: ['enterprise'] },
    { login: 'rep6', fullName: 'Noah Bergmann', role: 'sales_rep', capacity: repCapacity, skills: ['enterprise', 'english'] },
    { login: 'rep7', fullName: 'Ida Köhler', role: 'sales_rep', capacity: repCapacity, weight: 0.5, skills: ['enterprise'] },
    { login: 'rep8', fullName: 'Tom Nachtigall', role: 'sales_rep', capacity: repCapacity, roundTheClock: true, skills: ['german', 'english'] },
    { login: 'support1', fullName: 'Sami Beck', role: 'support', roundTheClock: true },
    { login: 'marketing1', fullName: 'Mia Arnold', role: 'marketing' },
  ],
  teams: [
    { name: 'Inbound', manager: 'manager1', members: ['rep1', 'rep2', 'rep3', 'rep4', 'rep8'], fallback: 'manager1' },
    { name: 'Enterprise', manager: 'manager2', members: ['rep5', 'rep6', 'rep7'] },
  ],
  scoringModel: {
    name: 'Acme standard',
    fitWeight: 0.7,
    engagementWeight: 0.3,
    fit: [
      { label: 'Home market', when: 'country in ["DE", "AT", "CH"]', points: 25 },
      { label: 'Business mail', when: 'hasEmail && !freeMail', points: 20 },
      { label: 'Can be called', when: 'hasPhone', points: 15 },
      { label: 'Urgent', when: 'urgency == "high"', points: 20 },
      { label: 'Large budget', when: 'budgetBand in ["100k-500k", "over-500k"]', points: 20 },
      { label: 'Known company', when: 'segment != ""', points: 10 },
      { label: 'Mail is refused', when: 'emailStatus == "rejects"', points: -40 },
    ],
    engagement: [
      { activityType: 'meeting', points: 50, halfLifeDays: 21 },
      { activityType: 'call', points: 30, halfLifeDays: 14 },
      { activityType: 'email', points: 15, halfLifeDays: 7 },
    ],
    bands: { warm: 25, hot: 50 },
  },
  rules: [
    {
      name: 'Enterprise and large budgets',
      when: 'segment == "enterprise" || budgetBand in ["100k-500k", "over-500k"]',
      team: 'Enterprise',
      strategy: 'least_loaded',
      ladder: {
        remindOwnerAfterMinutes: 15,
        tellManagerAfterMinutes: 60,
        reassignAfterMinutes: 120,
        maxRounds: 3,
        remindIdleAfterMinutes: 960,
        closeStaleAfterMinutes: 4_800,
      },
    },
    { name: 'Partner referrals', when: 'source == "partner" || utmSource == "partner"', team: 'Enterprise', strategy: 'weighted' },
    { name: 'Hot leads at home', when: 'band == "hot" && country == "DE"', team: 'Inbound', strategy: 'least_loaded' },
    { name: 'Everything else', when: 'true', team: 'Inbound', strategy: 'round_robin' },
  ],
  accounts: [
    { accountName: 'Nordlicht Energie AG', accountType: 'customer', segment: 'enterprise', industry: 'energy', domain: 'nordlicht.example', owner: 'rep5' },
    { accountName: 'Kranich Logistik GmbH', accountType: 'prospect', segment: 'mid_market', industry: 'logistics', domain: 'kranich.example', owner: 'rep1' },
    { accountName: 'Bäckerei Morgenrot', accountType: 'customer', segment: 'small_business', industry: 'food', domain: 'morgenrot.example', owner: 'rep2' },
    { accountName: 'Falkensee Immobilien', accountType: 'developer', segment: 'mid_market', industry: 'real estate', domain: 'falkensee.example', owner: 'rep6' },
  ],
  tags: [
    { name: 'trade fair', colour: '#1f77b4' },
    { name: 'call back', colour: '#d62728' },
    { name: 'newsletter', colour: '#2ca02c' },
  ],
  fallback: 'manager1',
};
