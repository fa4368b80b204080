import { z } from 'zod';
import { choice, identifier, instant, integer, json, text } from '../model/columns.ts';
import { entity } from '../model/entity.ts';

export const commandStates = ['received', 'answered'] as const;

/**
 * The command ledger: the first row of every write (DESIGN, one rule for writes). Idempotency store for the caller,
 * outbox towards Temporal for the relay, and the book that `crm audit` checks against. Not a resource.
 */
export const Command = entity('Command', 'crm_commands', {
  key: 'command_id',
  columns: {
    principal: text(120),
    route: text(200),
    idempotencyKey: text(255),
    /** SHA-256 of method, route and canonical body. */
    requestHash: text(64),
    state: choice(commandStates),
    /** Workflow message to deliver; null: a write of rows, by its own transaction or as the frame of its steps. */
    message: text(60, { nullable: true }),
    process: text(40, { nullable: true }),
    recordId: identifier({ nullable: true }),
    /** What the process needs, erased 24 h after the receipt; kept with a refusal of what a process owes. */
    body: json(z.unknown(), { nullable: true }),
    actor: json(z.unknown()),
    receivedAt: instant(),
    /** Until then the API that received it delivers; afterwards the relay does. */
    leaseUntil: instant({ nullable: true }),
    attempts: integer(0, 1_000_000, { default: 0 }),
    lastFailure: text(500, { nullable: true }),
    answeredAt: instant({ nullable: true }),
    answerStatus: integer(100, 599, { nullable: true }),
    answer: json(z.unknown(), { nullable: true }),
  },
  uniques: [['principal', 'route', 'idempotencyKey']],
  indexes: [
    { name: 'record', columns: 'record_id, received_at' },
    { name: 'owed', columns: 'lease_until', where: "state = 'received'" },
  ],
});
