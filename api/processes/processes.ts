import type { Resource } from '../../db/model/define-resource.ts';
import { resources } from '../../db/registry.ts';
import type { Process } from '../../workflows/processes/messages.ts';
import { processes } from '../../workflows/processes/registry.ts';

/** A process by its name, such as `lead`. Throws on a name that nobody declared. */
export function processNamed(name: string): Process {
  const process = processes.find((candidate) => candidate.name === name);
  if (!process) throw new Error(`There is no process "${name}".`);
  return process;
}

/** The resource whose records a process runs on. */
export function resourceOfProcess(process: Process): Resource {
  const resource = resources.find((candidate) => candidate.process?.name === process.name);
  if (!resource) throw new Error(`No resource names the process "${process.name}".`);
  return resource;
}
