import type { Outcome } from '../../db/automation/audit/check.ts';
import { table } from '../output.ts';

/** What `crm audit --json` prints. */
export interface AuditReport {
  clean: boolean;
  checks: {
    name: string;
    means: string;
    mend: string;
    count: number;
    /** The first twenty. */
    findings: Outcome['findings'];
  }[];
}

export function auditReport(outcomes: readonly Outcome[]): AuditReport {
  return {
    clean: outcomes.every(({ count }) => count === 0),
    checks: outcomes.map(({ check: { name, means, mend }, count, findings }) => ({
      name,
      means,
      mend,
      count,
      findings,
    })),
  };
}

/** The same for people: nothing is said of checks that found nothing. */
export function describeAudit({ clean, checks }: AuditReport): string {
  if (clean) return `Clean: ${checks.length} checks found no discrepancy.`;
  return checks
    .filter(({ count }) => count > 0)
    .map(({ name, means, mend, count, findings }) => {
      const shown = table(findings.map(({ subject, detail }) => [`  ${subject}`, detail]));
      const more = count > findings.length ? `\n  … and ${count - findings.length} more` : '';
      return `${name}: ${count}\n${means}\n${shown}${more}\nTo mend it: ${mend}`;
    })
    .join('\n\n');
}
