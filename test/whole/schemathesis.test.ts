import { afterAll, beforeAll, describe, it } from '@jest/globals';
import { type Product, startProduct } from '../support/product.ts';
import { expectClean, settle } from '../support/whole-books.ts';
import { captureMany } from '../support/whole-load.ts';
import { fuzz, obtainSchemathesis } from '../support/whole-schemathesis.ts';
import { makeTenant } from '../support/whole-tenant.ts';

let product: Product;
let schemathesis: string;
beforeAll(async () => {
  [product, schemathesis] = await Promise.all([startProduct(), obtainSchemathesis()]);
}, 300_000);
afterAll(() => product?.stop(), 120_000);

describe('schemathesis on /openapi.json', () => {
  // It cannot write a raw mail; test/api has hostile ones. Of what one handler does for every resource alike, three of
  // them speak for all; test/api/records asks each.
  const alike = '^/crm/v1/(?!leads/|tickets/|users/)[a-z-]+/(bulk|[{]id[}]/(timeline|audit|restore))$';
  const excluded = ['--exclude-path', '/events/mail', '--exclude-path-regex', alike];
  const inBreadth = ['--phases', 'examples,fuzzing', '--max-examples', '1', ...excluded];
  // Corners of bulk requests are a thousand captures each.
  const inDepth = ['--phases', 'coverage', '--include-path-regex', '^/(v1/|crm/v1/leads(/|$)(?!bulk))'];

  it.each([
    ['every operation, some examples', inBreadth],
    ['the routes of the intake, every corner of their schemas', inDepth],
  ])(
    'finds no 5xx, no undocumented status and no schema violation: %s',
    async (_what, options) => {
      const { org, admin } = await makeTenant(product);
      await captureMany(admin, 5);
      const token = await product.token('admin', org.id, org.id);
      const { exitCode, said } = await fuzz(schemathesis, `${product.api}/openapi.json`, token, options);
      if (exitCode !== 0) throw new Error(said);
      // The last requests may have left thousands of captures to the relay.
      await settle(product, { seconds: 180 });
      await expectClean(product);
    },
    480_000,
  );
});
