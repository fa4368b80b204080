import type { Process } from '../../workflows/processes/messages.ts';
import type { EntityDefinition } from '../model/entity.ts';

/** Records whose running processes depend on configuration, as conditions in SQL over their own row. */
export interface Dependents {
  readonly process: Process;
  readonly definition: EntityDefinition;
  readonly isRunning: string;
  /** For each kind of configuration: which depend on its record `changed.id`. */
  readonly dependsOn: Readonly<Record<string, string>>;
}
