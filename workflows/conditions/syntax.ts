import { type ASTNode, type Environment, serialize } from '@marcbachmann/cel-js';

// Everything else of CEL (patterns, loops over lists, bindings) can be made to cost more than its length suggests.
export const cheapFunctions = new Set(
  'contains startsWith endsWith size lowerAscii upperAscii trim int double string'.split(' '),
);

/** The nodes directly below one. */
function operands(node: ASTNode): readonly ASTNode[] {
  if (node.op === 'value' || node.op === 'id') return [];
  if (node.op === '.' || node.op === '.?') return [node.args[0]];
  if (node.op === 'call') return node.args[1];
  if (node.op === 'rcall') return [node.args[1], ...node.args[2]];
  if (node.op === 'map') return node.args.flat();
  if (node.op === '!_' || node.op === '-_') return [node.args];
  return node.args;
}

/** A node and all below it. */
export const withAll = (node: ASTNode): ASTNode[] => [node, ...operands(node).flatMap(withAll)];

/** Where the character at `position` (counted from 1) stands, in words. */
export function place(text: string, position: number): string {
  const before = text.slice(0, position - 1).split('\n');
  const column = (before.at(-1) ?? '').length + 1;
  return before.length === 1 ? `at character ${column}` : `in line ${before.length}, at character ${column}`;
}

/** The value of an expression when no fact can change it, else null; `false && x` is false whatever x is. */
export function constantValue(environment: Environment, node: ASTNode): boolean | null {
  if (node.op === '!_') {
    const value = constantValue(environment, node.args);
    return value === null ? null : !value;
  }
  if (node.op === '&&' || node.op === '||') {
    const decisive = node.op === '||';
    const [left, right] = node.args.map((operand) => constantValue(environment, operand));
    if (left === decisive || right === decisive) return decisive;
    return left === null || right === null ? null : !decisive;
  }
  if (withAll(node).some(({ op }) => op === 'id')) return null;
  try {
    const value: unknown = environment.evaluate(serialize(node));
    return typeof value === 'boolean' ? value : null;
  } catch {
    return null;
  }
}
