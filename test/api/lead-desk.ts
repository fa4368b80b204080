import { expect } from '@jest/globals';
import {
  type Made,
  makeAssignmentRule,
  makeOrganization,
  makeScoringModel,
  makeTeam,
  makeUser,
  suffix,
  type TestOrganization,
} from '../support/factories.ts';
import { openProcessHouse, type ProcessHouse } from './process-house.ts';
import type { TestApi } from './support.ts';

/** A lead as the API answers it. */
export interface LeadJson {
  id: string;
  status: string;
  stage: string;
  score: number;
  assignedUserId: string | null;
  email?: string;
  person: { id: string };
  process: { workflowId: string; href: string };
}

type SendOptions = Parameters<TestApi['send']>[2];

/** An organisation that captures leads, and what its manager sends. */
export interface LeadDesk extends ProcessHouse {
  org: TestOrganization;
  rep: Made;
  otherRep: Made;
  /** Sends every request that names no other user. */
  manager: string;
  send(method: string, path: string, options?: SendOptions): ReturnType<TestApi['send']>;
  captured(body?: object): Promise<LeadJson>;
  command(lead: Pick<LeadJson, 'id'>, name: string, body?: unknown, options?: SendOptions): ReturnType<TestApi['send']>;
  /** The lead as it is now. */
  read(lead: Pick<LeadJson, 'id'>): Promise<LeadJson>;
}

/** Opens a desk of two people under one rule. */
export async function openLeadDesk(): Promise<LeadDesk> {
  const house = await openProcessHouse({ waitMilliseconds: 3_000 });
  const org = await makeOrganization(house.database);
  const rep = await makeUser(org, { capacity: 1_000 });
  const otherRep = await makeUser(org, { capacity: 1_000 });
  const team = await makeTeam(org, [rep, otherRep]);
  const manager = String(team['managerUserId']);
  await makeScoringModel(org);
  await makeAssignmentRule(org, team);

  const send: LeadDesk['send'] = (method, path, options = {}) =>
    house.api.send(method, path, { organizationId: org.id, userId: manager, roles: ['manager'], ...options });
  return {
    ...house,
    org,
    rep,
    otherRep,
    manager,
    send,
    async captured(body = person()) {
      const response = await send('POST', '/v1/leads/capture', { body });
      expect(response.status).toBe(201);
      return (await response.json()) as LeadJson;
    },
    command: ({ id }, name, body = {}, options = {}) =>
      send('POST', `/crm/v1/leads/${id}/${name}`, { body, ...options }),
    read: async ({ id }) => (await (await send('GET', `/crm/v1/leads/${id}`)).json()) as LeadJson,
  };
}

/** Somebody new who may be captured. */
export const person = (overrides: object = {}) => ({
  fullName: `Ada ${suffix()}`,
  email: `ada-${suffix()}@example.com`,
  country: 'DE',
  ...overrides,
});
