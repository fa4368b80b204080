import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, DefaultLogger, type WorkflowBundleOption } from '@temporalio/worker';

const pathOf = (specifier: string) => fileURLToPath(new URL(specifier, import.meta.url));

/** Decodes payloads for the worker's main thread, and for workflows through the bundle. */
export const payloadConverterPath = pathOf('./payload-converter.ts');
/** Where an image's build leaves the bundle (workers/prebuild.ts); not there in development. */
export const prebuiltPath = pathOf('./workflow-bundle.js');

/** The code of all workflows: built beforehand when there is such a file, else from the sources, in a second or two. */
export async function workflowBundle(): Promise<WorkflowBundleOption> {
  return existsSync(prebuiltPath) ? { codePath: prebuiltPath } : { code: await bundleFromSources() };
}

/** Bundles the workflows with all they import, type annotations stripped. */
export async function bundleFromSources(): Promise<string> {
  const { code } = await bundleWorkflowCode({
    workflowsPath: pathOf('../workflows/index.ts'),
    payloadConverterPath,
    logger: new DefaultLogger('WARN'),
    preloadModules: [pathOf('../workflows/preload.ts')],
  });
  return code;
}
