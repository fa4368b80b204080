import { describe, expect, it } from '@jest/globals';
import { mappingByName, parseMapping, refuseUnknownColumns, unusedColumns } from '../../../cli/capture/mapping.ts';
import { captureOf } from '../../../cli/capture/transform.ts';

const mapped = (fields: Record<string, unknown>) => parseMapping({ fields }, 'map.yaml');
const capture = (rules: Record<string, unknown>, row: Record<string, unknown>) => captureOf(row, mapped(rules));

describe('a mapping', () => {
  it.each([
    ['a column', { email: 'mail' }, { mail: ' ada@example.com ' }, { email: 'ada@example.com' }],
    ['upper case', { country: { column: 'c', case: 'upper' } }, { c: 'au' }, { country: 'AU' }],
    ['lower case', { email: { column: 'c', case: 'lower' } }, { c: 'ADA@X.EXAMPLE' }, { email: 'ada@x.example' }],
    [
      'several columns joined, empty ones left out',
      { fullName: { join: ['a', 'b', 'c'] } },
      { a: 'Ada', b: ' ', c: 'King' },
      { fullName: 'Ada King' },
    ],
    ['a separator', { message: { join: ['a', 'b'], separator: ', ' } }, { a: 'x', b: 'y' }, { message: 'x, y' }],
    ['a template', { email: { template: '{no}@febrl.example' } }, { no: '17' }, { email: '17@febrl.example' }],
    ['a template with an empty column', { email: { template: '{no}@febrl.example' } }, { no: ' ' }, {}],
    ['a constant', { source: { constant: 'fair' } }, {}, { source: 'fair' }],
    [
      'a table of values',
      { urgency: { column: 'p', values: { 1: 'high' }, default: 'low' } },
      { p: '1' },
      { urgency: 'high' },
    ],
    [
      'a value that the table does not have',
      { urgency: { column: 'p', values: { 1: 'high' } } },
      { p: 'medium' },
      { urgency: 'medium' },
    ],
    ['a default for nothing', { urgency: { column: 'p', default: 'low' } }, { p: '' }, { urgency: 'low' }],
    [
      'a part of a field',
      { 'utm.source': 'a', 'utm.medium': 'b' },
      { a: 'x', b: 'y' },
      { utm: { source: 'x', medium: 'y' } },
    ],
    [
      'yes and no',
      { 'consent.email': 'a', 'consent.sms': 'b' },
      { a: 'Yes', b: '0' },
      { consent: { email: true, sms: false } },
    ],
    ['a word that is neither', { consent: 'a' }, { a: 'perhaps' }, { consent: 'perhaps' }],
    [
      'identifiers in other products',
      { 'externalRefs.shop': 'a', 'externalRefs.erp': 'b' },
      { a: '1', b: '2' },
      {
        externalRefs: [
          { system: 'shop', externalId: '1' },
          { system: 'erp', externalId: '2' },
        ],
      },
    ],
    ['structured values of NDJSON as they are', { utm: 'u' }, { u: { source: 'x' } }, { utm: { source: 'x' } }],
    ['numbers as text', { phone: 'p' }, { p: 4930901820 }, { phone: '4930901820' }],
    ['names that objects are born with', { email: 'constructor' }, {}, {}],
  ])('takes %s', (_, rules, row, body) => {
    expect(capture(rules, row)).toEqual(body);
  });

  it.each([
    [{ fields: { emial: 'mail' } }, 'fields.emial is no field of a lead. Fields are fullName,'],
    [{ fields: { first_name: 'a' } }, 'fields.first_name is no field of a lead; is firstName meant?'],
    [{ fields: { consent: 'a', 'consent.sms': 'b' } }, 'fields.consent is filled as a whole and in parts'],
    [
      { fields: { email: { column: 'a', constant: 'b' } } },
      'fields.email must have exactly one of column, join, template, constant',
    ],
    [{ fields: { email: { colunm: 'a' } } }, 'fields.email does not know colunm; a rule has column, join'],
    [{ fields: { email: { template: 'x@example.com' } } }, 'fields.email.template must name a column in braces'],
    [{ fields: { email: { column: 'a', case: 'title' } } }, 'fields.email.case must be upper or lower'],
    [{ fields: { email: 7 } }, 'fields.email must be the name of a column, or a rule'],
    [{ columns: {} }, 'the file must be `fields:` followed by'],
    [null, 'the file must be `fields:` followed by'],
  ])('is refused in words: %j', (document, complaint) => {
    expect(() => parseMapping(document, 'map.yaml')).toThrow(complaint);
  });

  it('names every mistake at once', () => {
    expect(() => mapped({ email: {}, phone: { constant: [] } })).toThrow(/fields\.email .*\n.*fields\.phone/);
  });

  it('names columns that the file does not have', () => {
    const mapping = mapped({ email: { template: '{no}@x.example' }, fullName: { join: ['a', 'b'] } });
    expect(() => refuseUnknownColumns(mapping, ['a', 'c'])).toThrow(
      'fields.email: the file has no column "no"\n  fields.fullName: the file has no column "b"\nIt has: a, c',
    );
    expect(() => refuseUnknownColumns(mapping, ['a', 'b', 'no'])).not.toThrow();
  });
});

describe('columns named as fields', () => {
  it('fill them, whatever their case and punctuation', () => {
    const columns = ['Full Name', 'EMAIL', 'utm_source', 'external-refs', 'Notes'];
    const mapping = mappingByName(columns);
    expect([...mapping].map(([target, { column }]) => [target, column])).toEqual([
      ['fullName', 'Full Name'],
      ['email', 'EMAIL'],
      ['utm.source', 'utm_source'],
      ['externalRefs', 'external-refs'],
    ]);
    expect(unusedColumns(mapping, columns)).toEqual(['Notes']);
  });

  it('are refused when two mean the same, or none means anything', () => {
    expect(() => mappingByName(['email', 'E-Mail'])).toThrow('The columns "email" and "E-Mail" both mean email');
    expect(() => mappingByName(['surname', 'given'])).toThrow(
      'No column is named as a field of a lead. Columns: surname, given.',
    );
  });
});
