import { writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { WorkflowCoverage } from '@temporalio/nyc-test-coverage';
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';
import { bundleFromSources, payloadConverterPath } from '../../workers/workflow-bundle.ts';

const stripTypes = {
  test: /\.ts$/,
  exclude: /node_modules/,
  use: createRequire(import.meta.url).resolve('./strip-types-loader.mjs'),
};

/** Bundles the workflows into `folder`: as the product does, or instrumented when coverage is measured. Answers the path. */
export async function bundleWorkflows(folder: string, { coverage }: { coverage: boolean }): Promise<string> {
  const path = join(folder, 'workflows.js');
  await writeFile(path, await (coverage ? instrumentedBundle() : bundleFromSources()));
  return path;
}

/**
 * The workflows with Istanbul's counters, on the same text that Jest instruments. Nothing is preloaded: preloaded
 * modules are frozen, and their counters with them.
 */
async function instrumentedBundle(): Promise<string> {
  // The SDK instruments only where Istanbul's global exists.
  Object.assign(globalThis, { __coverage__: {} });
  const { webpackConfigHook: instrument, ...options } = new WorkflowCoverage().augmentBundleOptions({
    workflowsPath: join(import.meta.dirname, '..', '..', 'workflows', 'index.ts'),
    payloadConverterPath,
    logger: new DefaultLogger('WARN'),
  });
  const { code } = await bundleWorkflowCode({
    ...options,
    webpackConfigHook(configuration) {
      const stripped = { ...configuration, module: { rules: [stripTypes] } };
      return instrument?.(stripped) ?? stripped;
    },
  });
  return code;
}
