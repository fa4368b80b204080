import { join } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import parsePhoneNumber from 'libphonenumber-js/max';
import { type Mapping, readMapping, refuseUnknownColumns } from '../../../cli/capture/mapping.ts';
import { openSource, type Row } from '../../../cli/capture/source.ts';
import { captureOf } from '../../../cli/capture/transform.ts';
import { captureBody } from '../../../workflows/leads/capture.ts';
import { normaliseIntake, type NormalisedIntake } from '../../../workflows/leads/normalisation.ts';
import { rowsOf } from './files.ts';

const data = join(import.meta.dirname, '..', '..', 'data');

describe('the mapping of febrl-1.csv', () => {
  let mapping: Mapping;
  let rows: Row[];
  let intakes: NormalisedIntake[];

  beforeAll(async () => {
    mapping = readMapping(join(data, 'febrl-1.mapping.yaml'));
    rows = await rowsOf(join(data, 'febrl-1.csv'));
    intakes = rows.map(({ content }) => {
      if (!('fields' in content)) throw new Error(content.unreadable);
      const { intake, errors } = normaliseIntake(captureBody.parse(captureOf(content.fields, mapping)), {
        defaultRegion: 'DE',
      });
      if (errors.length > 0) throw new Error(JSON.stringify(errors));
      return intake;
    });
  });

  it('knows every column, and makes a lead of every row', async () => {
    const { columns } = await openSource(join(data, 'febrl-1.csv'));
    expect(() => refuseUnknownColumns(mapping, columns)).not.toThrow();
    expect(intakes).toHaveLength(1_000);
    expect(intakes.every(({ country, source }) => country === 'AU' && source === 'febrl-1')).toBe(true);
  });

  it('makes one mail and one phone of each soc_sec_id: 450 pairs merge, 550 leads stay', () => {
    expect(new Set(intakes.map(({ email }) => email)).size).toBe(550);
    expect(new Set(intakes.map(({ phone }) => phone)).size).toBe(550);
  });

  it('leaves no row without a name, although some lack one of the two', () => {
    expect(intakes.filter(({ firstName }) => firstName === null)).toHaveLength(44);
    expect(intakes.filter(({ lastName }) => lastName === null)).toHaveLength(18);
    expect(intakes.every(({ fullName }) => fullName !== '')).toBe(true);
  });

  it('makes a valid phone of any seven digits', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 9_999_999 }), (id) => {
        const { phone } = captureOf({ soc_sec_id: String(id).padStart(7, '0') }, mapping);
        expect(parsePhoneNumber(String(phone))?.isValid()).toBe(true);
      }),
    );
  });
});

describe('a row', () => {
  it('becomes one capture, whatever is in it and whatever the mapping asks', () => {
    const name = fc.constantFrom('a', 'b', 'c', '__proto__', 'toString');
    const value = fc.oneof(fc.string(), fc.jsonValue(), fc.constant(undefined));
    const options = {
      case: fc.constantFrom('upper', 'lower', undefined),
      default: fc.option(fc.string(), { nil: undefined }),
      separator: fc.string(),
    };
    const rule = fc.oneof(
      fc.record({ column: name, ...options }),
      fc.record({ join: fc.array(name, { minLength: 1 }), ...options }),
      fc.record({ template: name.map((column) => `x{${column}}`), ...options }),
      fc.record({ constant: fc.oneof(fc.string(), fc.boolean()), ...options }),
    );
    const target = fc.constantFrom(
      'email',
      'phone',
      'utm.source',
      'consent.sms',
      'externalRefs.shop',
      'externalRefs.a.b',
    );
    fc.assert(
      fc.property(fc.dictionary(name, value), fc.array(fc.tuple(target, rule)), (fields, rules) => {
        const mapping = new Map(rules) as unknown as Mapping;
        const body = captureOf(fields, mapping);
        expect(() => JSON.stringify(body)).not.toThrow();
        expect(captureOf(fields, mapping)).toEqual(body);
      }),
    );
  });
});
