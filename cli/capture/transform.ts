import { place, valueFor } from './fields.ts';
import type { Mapping, Rule } from './mapping.ts';

/** One row of a file: column → value; texts in CSV, anything JSON in NDJSON. */
export type Fields = Readonly<Record<string, unknown>>;

/**
 * The body of a capture that a row becomes. Every row becomes one: what is empty is left out, and whether the rest is
 * enough for a lead is for the API to say.
 */
export function captureOf(fields: Fields, mapping: Mapping): Record<string, unknown> {
  const body: Record<string, unknown> = {};
  for (const [target, rule] of mapping) {
    const value = valueFor(target, valueOf(rule, fields));
    if (value !== undefined) place(body, target, value);
  }
  return body;
}

/** The value that a rule makes of a row, or undefined when it comes out empty. */
function valueOf(rule: Rule, fields: Fields): unknown {
  if (rule.constant !== undefined) return rule.constant;
  const whole = rule.column === undefined ? undefined : valueIn(fields, rule.column);
  if (typeof whole === 'object' && whole !== null) return whole;
  const text = inCase(rule, textOf(rule, fields));
  const replaced = rule.values && Object.hasOwn(rule.values, text) ? rule.values[text] : text;
  return replaced === '' ? rule.default : replaced;
}

function textOf({ column, join, separator, template }: Rule, fields: Fields): string {
  if (column !== undefined) return cell(fields, column);
  if (join !== undefined) {
    return join
      .map((name) => cell(fields, name))
      .filter((text) => text !== '')
      .join(separator);
  }
  // A template of nothing would make up data: half of it is as good as none.
  let isWhole = true;
  const filled = (template ?? '').replace(/\{([^{}]+)\}/g, (_, name: string) => {
    const text = cell(fields, name);
    isWhole &&= text !== '';
    return text;
  });
  return isWhole ? filled.trim() : '';
}

function cell(fields: Fields, name: string): string {
  const value = valueIn(fields, name);
  if (value === undefined || value === null) return '';
  return (typeof value === 'object' ? JSON.stringify(value) : String(value as string | number | boolean)).trim();
}

function valueIn(fields: Fields, name: string): unknown {
  return Object.hasOwn(fields, name) ? fields[name] : undefined;
}

function inCase({ case: letters }: Rule, text: string): string {
  if (letters === undefined) return text;
  return letters === 'upper' ? text.toUpperCase() : text.toLowerCase();
}
