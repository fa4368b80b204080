import { relative, sep } from 'node:path';
import { complaintAbout } from './layers.ts';

interface ImportNode {
  source: { value: string } | null;
  importKind?: 'type' | 'value';
  exportKind?: 'type' | 'value';
}
interface RuleContext {
  filename: string;
  cwd: string;
  report(problem: { node: ImportNode; message: string }): void;
}

const layers = {
  meta: { type: 'problem' },
  create(context: RuleContext) {
    const file = relative(context.cwd, context.filename).split(sep).join('/');
    const visit = (node: ImportNode) => {
      if (typeof node.source?.value !== 'string') return;
      const typeOnly = (node.importKind ?? node.exportKind) === 'type';
      const message = complaintAbout(file, { specifier: node.source.value, typeOnly });
      if (message) context.report({ node, message });
    };
    return {
      ImportDeclaration: visit,
      ExportNamedDeclaration: visit,
      ExportAllDeclaration: visit,
      ImportExpression: visit,
    };
  },
};

/** The linter's side of the layer table: `.oxlintrc.json` names this file. */
export default { meta: { name: 'crm' }, rules: { layers } };
