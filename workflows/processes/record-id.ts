import { z } from 'zod';

/** The identifier of a record of this entity (`Lead`); the entity is published as `x-record`, for readers and examples. */
export const recordId = (entity: string, error?: string) => z.uuid(error).meta({ 'x-record': entity });
