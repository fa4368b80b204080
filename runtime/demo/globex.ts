import { type OrganizationPlan, repCapacity } from './plan.ts';

const workday = [
  { from: '08:30', to: '12:00' },
  { from: '12:45', to: '17:30' },
];

/** Globex Inc of New York: phones without a country code are American, and federal holidays are free. */
export const globex: OrganizationPlan = {
  slug: 'globex',
  name: 'Globex Inc',
  region: 'US',
  businessHours: {
    name: 'Business hours New York',
    timeZone: 'America/New_York',
    hours: { monday: workday, tuesday: workday, wednesday: workday, thursday: workday, friday: workday },
    holidays: [
      { date: '2026-01-01', yearly: true },
      { date: '2026-06-19', yearly: true },
      { date: '2026-07-04', yearly: true },
      { date: '2026-12-25', yearly: true },
      { date: '2026-11-26', yearly: false },
      { date: '2027-01-18', yearly: false },
      { date: '2027-05-31', yearly: false },
      { date: '2027-09-06', yearly: false },
      { date: '2027-11-25', yearly: false },
    ],
    exceptions: [
      { date: '2026-11-27', hours: [{ from: '09:00', to: '13:00' }] },
      { date: '2026-12-24', hours: [{ from: '09:00', to: '13:00' }] },
    ],
  },
  people: [
    { login: 'admin', fullName: 'Grace Holloway', role: 'admin' },
    { login: 'manager1', fullName: 'Marcus Reed', role: 'manager', capacity: repCapacity },
    { login: 'manager2', fullName: 'Nina Alvarez', role: 'manager', capacity: repCapacity },
    { login: 'rep1', fullName: 'Ethan Brooks', role: 'sales_rep', capacity: repCapacity, skills: ['english'] },
    { login: 'rep2', fullName: 'Sofía Ramirez', role: 'sales_rep', capacity: repCapacity, skills: ['english', 'spanish'] },
    { login: 'rep3', fullName: 'Dylan Park', role: 'sales_rep', capacity: repCapacity, weight: 2, skills: ['english', 'korean'] },
    { login: 'rep4', fullName: 'Amara Okafor', role: 'sales_rep', capacity: repCapacity, skills: ['english'] },
    { login: 'rep5', fullName: 'Lucas Meyer', role: 'sales_rep', capacity: repCapacity, skills: ['english', 'german'] },
    { login: 'rep6', fullName: 'Priya Nair', role: 'sales_rep', capacity: repCapacity, skills: ['english', 'hindi'] },
    { login: 'rep7', fullName: 'Owen Clarke', role: 'sales_rep', capacity: repCapacity, roundTheClock: true, skills: ['english'] },
    { login: 'support1', fullName: 'Sam Whitfield', role: 'support', roundTheClock: true },
    { login: 'marketing1', fullName: 'Maya Chen', role: 'marketing' },
  ],
  teams: [
    { name: 'Americas', manager: 'manager1', members: ['rep1', 'rep2', 'rep3', 'rep7'], fallback: 'manager1' },
    { name: 'International', manager: 'manager2', members: ['rep4', 'rep5', 'rep6'] },
  ],
  scoringModel: {
    name: 'Globex standard',
    fitWeight: 0.6,
    engagementWeight: 0.4,
    fit: [
      { label: 'In the Americas', when: 'country in ["US", "CA", "MX", "BR"]', points: 25 },
      { label: 'Business mail', when: 'hasEmail && !freeMail', points: 25 },
      { label: 'Can be called', when: 'hasPhone', points: 15 },
      { label: 'Urgent', when: 'urgency == "high"', points: 20 },
      { label: 'Enterprise', when: 'segment == "enterprise"', points: 25 },
      { label: 'Mail is refused', when: 'emailStatus == "rejects"', points: -40 },
    ],
    engagement: [
      { activityType: 'meeting', points: 45, halfLifeDays: 30 },
      { activityType: 'call', points: 25, halfLifeDays: 14 },
      { activityType: 'email', points: 10, halfLifeDays: 7 },
    ],
    bands: { warm: 25, hot: 45 },
  },
  rules: [
    { name: 'Enterprise', when: 'segment == "enterprise"', team: 'Americas', strategy: 'weighted' },
    { name: 'Outside the Americas', when: 'country != "" && !(country in ["US", "CA", "MX", "BR"])', team: 'International', strategy: 'least_loaded' },
    {
      name: 'Asked for a call today',
      when: 'urgency == "high" && hasPhone',
      team: 'Americas',
      strategy: 'least_loaded',
      ladder: {
        remindOwnerAfterMinutes: 10,
        tellManagerAfterMinutes: 30,
        reassignAfterMinutes: 60,
        maxRounds: 4,
        remindIdleAfterMinutes: 960,
        closeStaleAfterMinutes: 4_800,
      },
    },
    { name: 'Everything else', when: 'true', team: 'Americas', strategy: 'round_robin' },
  ],
  accounts: [
    { accountName: 'Initech Systems', accountType: 'customer', segment: 'enterprise', industry: 'software', domain: 'initech.example', owner: 'rep3' },
    { accountName: 'Hooli Labs', accountType: 'prospect', segment: 'enterprise', industry: 'software', domain: 'hooli.example', owner: 'rep1' },
    { accountName: 'Maple Street Bakery', accountType: 'customer', segment: 'small_business', industry: 'food', domain: 'maplestreet.example', owner: 'rep2' },
    { accountName: 'Rhine Valley Tools', accountType: 'partner', segment: 'mid_market', industry: 'machinery', domain: 'rhinevalley.example', owner: 'rep5' },
  ],
  tags: [
    { name: 'trade show', colour: '#1f77b4' },
    { name: 'call back', colour: '#d62728' },
    { name: 'newsletter', colour: '#2ca02c' },
  ],
  fallback: 'manager1',
};
