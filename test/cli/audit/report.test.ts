import { describe, expect, it } from '@jest/globals';
import { auditReport, describeAudit } from '../../../cli/audit/report.ts';
import { rowChecks } from '../../../db/automation/audit.queries.ts';
import { processChecks } from '../../../db/automation/audit/processes.ts';

const [check, other] = rowChecks;

describe('the report of an audit', () => {
  it('says what is wrong, what it means and how to mend it', () => {
    const findings = [{ organizationId: null, subject: 'lead 1', detail: 'stage x' }];
    const report = auditReport([
      { check: check!, count: 3, findings },
      { check: other!, count: 0, findings: [] },
    ]);
    expect(report).toMatchObject({ clean: false, checks: [{ name: check!.name, count: 3, findings }, { count: 0 }] });
    expect(describeAudit(report)).toBe(
      `${check!.name}: 3\n${check!.means}\n  lead 1  stage x\n  … and 2 more\nTo mend it: ${check!.mend}`,
    );
  });

  it('is one line when nothing is wrong', () => {
    expect(describeAudit(auditReport([{ check: check!, count: 0, findings: [] }]))).toBe(
      'Clean: 1 checks found no discrepancy.',
    );
  });

  it('names each check once', () => {
    const names = [...rowChecks, ...processChecks].map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
  });
});
