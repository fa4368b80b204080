export { deliverEvents } from './automation/deliver-events.ts';
export { fanOutConfiguration } from './automation/fan-out.ts';
export { leadIntake } from './leads/lead-intake.ts';
export { ticketSla } from './tickets/ticket-sla.ts';
