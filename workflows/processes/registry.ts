import { leadProcess } from '../leads/messages.ts';
import { ticketProcess } from '../tickets/messages.ts';
import type { Process } from './messages.ts';

/** Every process of the product: what its routes, documents and audit are made from. */
export const processes: readonly Process[] = [leadProcess, ticketProcess];
