import { type Connection, isGrpcServiceError } from '@temporalio/client';
import proto from '@temporalio/proto';
import type { Logger } from 'pino';
import { searchAttributes } from '../workflows/processes/search-attributes.ts';

const { IndexedValueType } = proto.temporal.api.enums.v1;
const valueTypes = {
  KEYWORD: IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD,
  DATETIME: IndexedValueType.INDEXED_VALUE_TYPE_DATETIME,
} as const;

type Operated = Pick<Connection, 'operatorService'>;

/** gRPC codes of a service that keeps this to its operators (Temporal Cloud): PERMISSION_DENIED, UNIMPLEMENTED. */
const notOurs: ReadonlySet<number> = new Set([7, 12]);

/**
 * Registers the search attributes that the namespace lacks. Where that is not allowed, or one exists with another type
 * (the server ignores such a request), the log says what to do. Throws when Temporal is away.
 */
export async function registerSearchAttributes(connection: Operated, namespace: string, log: Logger): Promise<void> {
  try {
    await registerMissing(connection, namespace, log);
  } catch (err) {
    if (!isGrpcServiceError(err) || !notOurs.has(err.code)) throw err;
    const attributes = Object.values(searchAttributes).map(({ name, type }) => `${name} (${type})`);
    log.warn(
      { attributes, code: err.code },
      'Temporal does not let a worker register search attributes: make these by hand',
    );
  }
}

async function registerMissing(connection: Operated, namespace: string, log: Logger): Promise<void> {
  const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace });
  const missing = Object.values(searchAttributes).filter(({ name }) => !(name in customAttributes));
  for (const { name, type } of Object.values(searchAttributes)) {
    const present = customAttributes[name];
    if (present === undefined || present === valueTypes[type]) continue;
    log.error(
      { attribute: name, wanted: IndexedValueType[valueTypes[type]], present: IndexedValueType[present] },
      'a search attribute has another type: remove it (`temporal operator search-attribute remove`), then start the worker again',
    );
  }
  if (missing.length === 0) return;
  const wanted = Object.fromEntries(missing.map(({ name, type }) => [name, valueTypes[type]]));
  await connection.operatorService.addSearchAttributes({ namespace, searchAttributes: wanted });
  log.info({ attributes: Object.keys(wanted) }, 'search attributes registered');
}
