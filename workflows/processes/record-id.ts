import { z } from 'zod';

/** A UUID in its one spelling, that of PostgreSQL: rules and the IDs of workflows compare identifiers as texts. */
export const uuid = (error?: string) => z.uuid(error).toLowerCase();

/** The identifier of a record of this entity (`Lead`); the entity is published as `x-record`, for readers and examples. */
export const recordId = (entity: string, error?: string) => uuid(error).meta({ 'x-record': entity });
