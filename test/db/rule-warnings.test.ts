import { beforeEach, expect, it } from '@jest/globals';
import { assignmentRules } from '../../db/leads/assignment-rule.ts';
import type { Resource } from '../../db/model/define-resource.ts';
import { ticketRoutingRules } from '../../db/tickets/routing-rule.ts';
import {
  adminOf,
  type Made,
  makeAssignmentRule,
  makeOrganization,
  makeTeam,
  type TestOrganization,
  writeAs,
} from '../support/factories.ts';
import { makeRoutingRule } from '../activities/tickets/routing-house.ts';
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

const warningsOn = async (resource: Resource, { id }: Made, changes: object) =>
  (await org.records.patch(writeAs(adminOf(org)), resource, id, '*', changes)).body?.['warnings'];

it('whoever takes away the last rule that matches everything is told what becomes of the rest, once', async () => {
  await rule('Germany', 1, 'country == "DE"');
  const everybody = await rule('Everybody', 2, 'true');
  const left = [
    "No active rule matches every lead any more: a lead that none matches goes to the owner of its account, else to the organisation's fallback, else it waits.",
  ];
  expect(await warningsOn(assignmentRules, everybody, { active: false })).toEqual(left);
  expect(await warningsOn(assignmentRules, everybody, { name: 'All' })).toEqual([]);
  expect(await warningsOn(assignmentRules, everybody, { active: true })).toEqual([]);
  expect(await warningsOn(assignmentRules, everybody, { when: 'country == "FR"' })).toEqual(left);
  await rule('Rest', 3, '1 == 1');
  await rule('Rest again', 4, 'true', { active: false });
  expect(await warningsOn(assignmentRules, everybody, { when: 'true', active: false })).toEqual([]);
});

it('whoever takes away the last rule is told that there is none', async () => {
  const only = await rule('Germany', 1, 'country == "DE"');
  expect(await warningsOn(assignmentRules, only, { active: false })).toEqual([
    "No rule is active any more: a lead that none matches goes to the owner of its account, else to the organisation's fallback, else it waits.",
  ]);
  const routing = await makeRoutingRule(org, team, { when: 'true' });
  expect(await warningsOn(ticketRoutingRules, routing, { active: false })).toEqual([
    'No rule is active any more: a ticket that none matches waits in the queue.',
  ]);
  await makeRoutingRule(org, team, { position: 1, when: 'priority == "P1"' });
  expect(await warningsOn(ticketRoutingRules, routing, { active: true })).toEqual([]);
  expect(await warningsOn(ticketRoutingRules, routing, { active: false })).toEqual([
    'No active rule matches every ticket any more: a ticket that none matches waits in the queue.',
  ]);
});
