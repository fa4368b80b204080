import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Ajv2020 } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import { resources } from '../../db/registry.ts';
import { processes } from '../../workflows/processes/registry.ts';
import { testApi, type TestApi } from './support.ts';

interface DocumentedParameter {
  name: string;
  schema: object;
  example?: unknown;
}
interface Operation {
  operationId: string;
  security: unknown[];
  parameters: (DocumentedParameter | { $ref: string })[];
  requestBody?: { content: Record<string, { schema: object; example?: unknown }> };
  responses: Record<string, DocumentedResponse | { $ref: string }>;
}
interface DocumentedResponse {
  content?: Record<string, { schema: object }>;
}
interface Document {
  openapi: string;
  paths: Record<string, Record<string, Operation>>;
  components: {
    schemas: Record<string, object>;
    parameters: Record<string, DocumentedParameter>;
    responses: Record<string, DocumentedResponse>;
  };
}

const addFormats = formats as unknown as typeof formats.default;

describe('the OpenAPI document', () => {
  let api: TestApi;
  let document: Document;
  let operations: [name: string, operation: Operation][];

  beforeAll(async () => {
    // No request of these reaches the database.
    api = await testApi('postgres://127.0.0.1:1/none');
    document = (await (await api.app.request('/openapi.json')).json()) as Document;
    operations = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]): [string, Operation] => [`${method} ${path}`, operation]),
    );
  });
  afterAll(() => api.close());

  it('is OpenAPI 3.1', () => {
    const ajv = new Ajv2020({ strict: false, allErrors: true, logger: false });
    addFormats(ajv);
    const validate = ajv.compile(
      JSON.parse(readFileSync(new URL('openapi-3.1.schema.json', import.meta.url), 'utf8')) as object,
    );
    validate(document);
    expect(validate.errors ?? []).toEqual([]);
  });

  it('has schemas that compile, and an example of every body that fits', () => {
    const ajv = new Ajv2020({ strict: false, logger: false });
    addFormats(ajv);
    ajv.addSchema({ $id: 'https://test/document', components: document.components });
    const compile = (schema: object) =>
      ajv.compile(
        JSON.parse(JSON.stringify(schema).replaceAll('"#/components', '"https://test/document#/components')) as object,
      );
    for (const schema of Object.keys(document.components.schemas)) compile({ $ref: `#/components/schemas/${schema}` });
    const misfits = operations.flatMap(([name, { parameters, requestBody }]) => {
      const body = requestBody?.content['application/json'];
      const declared = parameters.flatMap((parameter) => resolved<DocumentedParameter>(parameter) ?? []);
      const given = declared.filter(({ example }) => example !== undefined);
      const examples = [...given, ...(body ? [{ ...body, name: 'body' }] : [])];
      return examples.flatMap((each) => {
        const validate = compile(each.schema);
        return validate(each.example) ? [] : [`${name} ${each.name}: ${JSON.stringify(validate.errors)}`];
      });
    });
    expect(misfits).toEqual([]);
  });

  /** The part itself, where an operation refers to a shared one. */
  const resolved = <T extends object>(part: T | { $ref: string } | undefined): T | undefined => {
    if (!part || !('$ref' in part)) return part;
    const [, kind = '', name = ''] = /^#\/components\/(\w+)\/(.+)$/.exec(part.$ref) ?? [];
    return (document.components as unknown as Record<string, Record<string, T>>)[kind]?.[name];
  };

  it('names every operation once', () => {
    const ids = operations.map(([, { operationId }]) => operationId);
    expect(ids.filter((id, index) => ids.indexOf(id) !== index)).toEqual([]);
  });

  it('documents the problems of every operation that needs a token', () => {
    const callers = operations.filter(([, { security }]) => security.length > 0);
    expect(callers.length).toBeGreaterThan(200);
    for (const [name, { responses, requestBody }] of callers) {
      const expected = ['400', '401', '404', '429', '500', '503', ...(requestBody ? ['413', '415'] : [])];
      expect([
        name,
        expected.filter(
          (status) => !resolved<DocumentedResponse>(responses[status])?.content?.['application/problem+json'],
        ),
      ]).toEqual([name, []]);
    }
  });

  it.each(resources.map((resource) => [resource.path, resource] as const))(
    'has the verbs of %s, and no others',
    (path, resource) => {
      const methodsOf = (suffix: string) => Object.keys(document.paths[`/crm/v1/${path}${suffix}`] ?? {}).toSorted();
      const creatable = resource.creatable.length > 0 || resource.process !== undefined;
      const changeable = resource.patchable.length > 0;
      expect(methodsOf('')).toEqual(creatable ? ['get', 'post'] : ['get']);
      expect(methodsOf('/{id}')).toEqual(
        ['get', ...(changeable ? ['patch', 'put'] : []), ...(resource.removable ? ['delete'] : [])].toSorted(),
      );
      expect(methodsOf('/{id}/restore')).toEqual(resource.removable ? ['post'] : []);
      expect(methodsOf('/bulk')).toEqual(creatable || changeable || resource.removable ? ['post'] : []);
      expect([methodsOf('/{id}/timeline'), methodsOf('/{id}/audit')]).toEqual([['get'], ['get']]);
    },
  );

  it.each(processes)('has a command for every message of the process $name', ({ path, messages }) => {
    for (const [name, { summary }] of Object.entries(messages)) {
      const command = name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
      expect(document.paths[`/crm/v1/${path}/{id}/${command}`]?.['post']).toMatchObject({ summary });
    }
    expect(document.paths[`/crm/v1/${path}/{id}/process`]?.['get']).toBeDefined();
  });
});
