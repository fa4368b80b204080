import { writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { WorkflowCoverage } from '@temporalio/nyc-test-coverage';
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';
import type { BundleOptions } from '@temporalio/worker';

const root = join(import.meta.dirname, '..', '..');
const stripTypes = {
  test: /\.ts$/,
  exclude: /node_modules/,
  use: createRequire(import.meta.url).resolve('./strip-types-loader.mjs'),
};

/** Bundles workflows/index.ts into `folder`, instrumented when coverage is measured; answers the bundle's path. */
export async function bundleWorkflows(folder: string, { coverage }: { coverage: boolean }): Promise<string> {
  const options: BundleOptions = {
    workflowsPath: join(root, 'workflows', 'index.ts'),
    payloadConverterPath: join(root, 'workers', 'payload-converter.ts'),
    logger: new DefaultLogger('WARN'),
  };
  const { code } = await bundleWorkflowCode(withStrippedTypes(coverage ? instrumented(options) : options));
  const path = join(folder, 'workflows.js');
  await writeFile(path, code);
  return path;
}

/** The SDK instruments only where Istanbul's global exists. */
function instrumented(options: BundleOptions): BundleOptions {
  Object.assign(globalThis, { __coverage__: {} });
  return new WorkflowCoverage().augmentBundleOptions(options);
}

function withStrippedTypes(options: BundleOptions): BundleOptions {
  const { webpackConfigHook = (configuration) => configuration } = options;
  return {
    ...options,
    webpackConfigHook: (configuration) => webpackConfigHook({ ...configuration, module: { rules: [stripTypes] } }),
  };
}
