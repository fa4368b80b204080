import { beforeEach, expect, it } from '@jest/globals';
import { assignmentRules } from '../../db/leads/assignment-rule.ts';
import {
  adminOf,
  type Made,
  makeAssignmentRule,
  makeOrganization,
  makeTeam,
  type TestOrganization,
  writeAs,
} from '../support/factories.ts';
import { databaseFixture } from './database-fixture.ts';

const fixture = databaseFixture();
let org: TestOrganization;
let team: Made;

beforeEach(async () => {
  org = await makeOrganization(fixture.app);
  team = await makeTeam(org);
});

const rule = (name: string, position: number, when: string, overrides: object = {}) =>
  makeAssignmentRule(org, team, { name, position, when, ...overrides });

it('a rule that is never reached is stored, and its author warned', async () => {
  expect(await rule('Everybody', 1, 'true')).toMatchObject({ warnings: [] });
  expect(await rule('France', 2, 'country == "FR"')).toMatchObject({
    warnings: ['"France" is never reached: "Everybody" matches every lead before it.'],
  });
});

it('whoever puts a rule before others is told which of them are not reached any more, by it alone', async () => {
  await rule('Nobody', 10, 'false');
  await rule('Germany', 11, 'country == "DE"');
  const france = await rule('France', 12, 'country == "FR"');
  expect(await rule('Germany first', 1, "country=='DE'")).toMatchObject({
    warnings: ['"Germany" is never reached: "Germany first" has the same condition before it.'],
  });
  expect(await rule('Everybody', 5, 'true', { active: false })).toMatchObject({ warnings: [] });
  const { body } = await org.records.patch(writeAs(adminOf(org)), assignmentRules, france.id, '*', {
    position: 2,
    when: 'true',
  });
  expect(body?.['warnings']).toEqual(['"Germany" is never reached: "France" matches every lead before it.']);
});
