import { inOrder } from '../assignment/rules.ts';
import { ticketConditions, type TicketFacts } from './facts.ts';

/** What the choice looks at in an active policy; a row of crm_sla_policies is one. */
export interface PolicyCandidate {
  id: string;
  version: number;
  name: string;
  position: number;
  /** CEL over the ticket's facts. */
  when: string;
}

/** A policy that was asked, and what it said. */
export interface PolicyTried {
  policyId: string;
  version: number;
  name: string;
  matched: boolean;
  reason: string;
}

/** The first policy whose condition holds (null: nothing is promised), and every one that was asked. */
export function choosePolicy<P extends PolicyCandidate>(
  policies: readonly P[],
  facts: TicketFacts,
): { policy: P | null; tried: PolicyTried[] } {
  const tried: PolicyTried[] = [];
  for (const policy of inOrder(policies)) {
    const { matched, reason } = ticketConditions.test(policy.when, facts);
    tried.push({ policyId: policy.id, version: policy.version, name: policy.name, matched, reason });
    if (matched) return { policy, tried };
  }
  return { policy: null, tried };
}
