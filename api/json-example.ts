import type { JsonSchema } from './json-schema.ts';

const formats: Readonly<Record<string, string>> = {
  uuid: '019aa000-0000-7000-8000-000000000001',
  'date-time': '2026-11-23T09:00:00Z',
  date: '2026-11-23',
  uri: 'https://example.com/',
};

/** A value that this schema describes: the examples that it names, and the least that it asks for. */
export function exampleOf(schema: JsonSchema): unknown {
  if ('example' in schema) return schema['example'];
  if ('const' in schema) return schema['const'];
  const [choice] = listOf(schema['enum']);
  if (choice !== undefined) return choice;
  const [alternative] = [...listOf(schema['anyOf']), ...listOf(schema['oneOf'])];
  if (alternative) return exampleOf(alternative as JsonSchema);
  switch (schema['type']) {
    case 'object':
      return objectExample(schema);
    case 'array':
      return Number(schema['minItems'] ?? 0) > 0 ? [exampleOf((schema['items'] ?? {}) as JsonSchema)] : [];
    case 'integer':
    case 'number':
      return Math.max(Number(schema['minimum'] ?? 1), Math.min(1, Number(schema['maximum'] ?? 1)));
    case 'boolean':
      return true;
    case 'string':
      return formats[String(schema['format'])] ?? 'Example';
    default:
      return {};
  }
}

/** What an object must have, and what has an example of its own. */
function objectExample(schema: JsonSchema): unknown {
  const required = listOf(schema['required']);
  const properties = Object.entries((schema['properties'] ?? {}) as Record<string, JsonSchema>);
  const told = properties.filter(([name, property]) => required.includes(name) || 'example' in property);
  return Object.fromEntries(told.map(([name, property]) => [name, exampleOf(property)]));
}

const listOf = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);
