import { assignmentStrategies } from '../../workflows/assignment/rules.ts';
import { ticketConditions } from '../../workflows/tickets/facts.ts';
import { allow } from '../access/access-rules.ts';
import { Team } from '../access/team.ts';
import { assignmentWarningsOf } from '../assignment/rule-warnings.ts';
import { choice, flag, integer, longText, reference, text } from '../model/columns.ts';
import { resource } from '../model/define-resource.ts';
import { entity } from '../model/entity.ts';

/** Which team gets which tickets: ordered, the first whose condition holds and whose team has room decides. */
export const TicketRoutingRule = entity('TicketRoutingRule', 'crm_ticket_routing_rules', {
  key: 'ticket_routing_rule_id',
  columns: {
    name: text(120),
    active: flag({ default: true }),
    /** Ascending: the lowest is asked first. */
    position: integer(0, 1_000_000),
    /** CEL over the ticket's facts; `true` matches every ticket. */
    when: { ...longText(2_000, { column: 'condition' }), schema: ticketConditions.text },
    teamId: reference(() => Team),
    strategy: choice(assignmentStrategies),
  },
  search: ['name'],
  uniques: [['name']],
  indexes: [{ name: 'order', columns: 'position', where: 'active and deleted_at is null' }],
});

const unmatched = 'a ticket that none matches waits in the queue.';

const properties = ['name', 'active', 'position', 'when', 'teamId', 'strategy'] as const;

export const ticketRoutingRules = resource(TicketRoutingRule, {
  path: 'ticket-routing-rules',
  title: 'ticket routing rule',
  creatable: properties,
  patchable: properties,
  filterable: ['name', 'active', 'teamId', 'strategy'],
  sortable: ['position', 'name', 'createdAt'],
  expandable: { team: 'teamId' },
  read: allow('configuration:read'),
  write: allow('configuration:write'),
  warn: (rule, others, before) => assignmentWarningsOf(ticketConditions, { rule, others, before }, unmatched),
  feature: 'tickets',
  emits: 'ticket_routing_rule',
});
