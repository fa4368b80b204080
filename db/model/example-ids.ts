import { createHash } from 'node:crypto';

const beginning = '019aa000-0000-7000-8';

/**
 * The identifier of the first, second, … record of an entity (`Account`) in the demo organisation `acme`: the same in
 * every installation, so that examples of the API can name records that exist. It has the form of a UUIDv7.
 */
export function exampleId(entity: string, index = 0): string {
  const mark = createHash('sha256').update(entity).digest('hex');
  return `${beginning}${mark.slice(0, 3)}-${mark.slice(3, 9)}${index.toString(16).padStart(6, '0')}`;
}

/** Whether a JSON text names such a record. */
export const namesExampleId = (json: string): boolean => json.includes(`"${beginning}`);
