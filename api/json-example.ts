import { exampleId } from '../db/model/example-ids.ts';
import type { JsonSchema } from './json-schema.ts';

/** Which of several examples: the bodies of one resource have to differ in what is unique. */
export interface Variant {
  /** Text of which the schema says nothing in particular. */
  text: string;
  /** From 0: which of the examples that a schema names, else its first; which of the records that it refers to. */
  index: number;
}

const formats: Readonly<Record<string, string>> = {
  uuid: exampleId('Example'),
  'date-time': '2026-11-23T09:00:00Z',
  date: '2026-11-23',
  uri: 'https://example.com/',
};

/** A value that this schema describes: the examples that it names, and the least that it asks for. */
export function exampleOf(schema: JsonSchema, variant: Variant): unknown {
  if ('x-record' in schema) return exampleId(String(schema['x-record']), variant.index);
  const told = listOf(schema['examples']);
  if (told.length > 0) return told[variant.index] ?? told[0];
  if ('const' in schema) return schema['const'];
  const [choice] = listOf(schema['enum']);
  if (choice !== undefined) return choice;
  if (schema['type'] === 'object') return objectExample(schema, variant);
  const [alternative] = alternatives(schema);
  if (alternative) return exampleOf(alternative, variant);
  switch (schema['type']) {
    case 'array':
      return Number(schema['minItems'] ?? 0) > 0 ? [exampleOf((schema['items'] ?? {}) as JsonSchema, variant)] : [];
    case 'integer':
    case 'number':
      return Math.max(Number(schema['minimum'] ?? 1), Math.min(1, Number(schema['maximum'] ?? 1)));
    case 'boolean':
      return true;
    case 'string':
      return formats[String(schema['format'])] ?? variant.text;
    default:
      return {};
  }
}

/** What an object must have, what has an example of its own, or else its first property. */
function objectExample(schema: JsonSchema, variant: Variant): unknown {
  const required = requiredIn(schema);
  const properties = Object.entries((schema['properties'] ?? {}) as Record<string, JsonSchema>);
  const told = properties.filter(([name, property]) => required.includes(name) || 'examples' in property);
  return Object.fromEntries(
    (told.length > 0 ? told : properties.slice(0, 1)).map(([name, property]) => [name, exampleOf(property, variant)]),
  );
}

/** The properties that an object needs, by its own list and by the first of each alternative. */
function requiredIn(schema: JsonSchema): unknown[] {
  const [first] = alternatives(schema);
  const parts = [...(listOf(schema['allOf']) as JsonSchema[]), ...(first ? [first] : [])];
  return [...listOf(schema['required']), ...parts.flatMap(requiredIn)];
}

const alternatives = (schema: JsonSchema): JsonSchema[] =>
  [...listOf(schema['anyOf']), ...listOf(schema['oneOf'])] as JsonSchema[];

const listOf = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);
