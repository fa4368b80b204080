import { z } from 'zod';
import { identifier, instant, integer, json, text } from '../model/columns.ts';
import { entity } from '../model/entity.ts';

/** A domain event, written with the row it tells of, delivered by a workflow with a deterministic ID. Not a resource. */
export const OutboxEvent = entity('OutboxEvent', 'crm_outbox', {
  key: 'event_id',
  columns: {
    /** `lead.assigned`, `calendar.changed`, `notification.created`. */
    kind: text(80),
    subjectType: text(40),
    subjectId: identifier(),
    payload: json(z.record(z.string(), z.unknown())),
    occurredAt: instant(),
    /** The delivery workflow `outbox:{batchId}` that carries it; null: not claimed yet. */
    batchId: identifier({ nullable: true }),
    claimedAt: instant({ nullable: true }),
    attempts: integer(0, 1_000_000, { default: 0 }),
    lastFailure: text(500, { nullable: true }),
    deliveredAt: instant({ nullable: true }),
  },
  indexes: [
    { name: 'undelivered', columns: 'occurred_at', where: 'delivered_at is null' },
    { name: 'batch', columns: 'batch_id', where: 'delivered_at is null' },
  ],
});
