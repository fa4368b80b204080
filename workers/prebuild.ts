/** Bundles the workflows once, for a container image: `node workers/prebuild.ts`. Its workers then start without a bundler. */
import { writeFile } from 'node:fs/promises';
import { bundleFromSources, prebuiltPath } from './workflow-bundle.ts';

await writeFile(prebuiltPath, await bundleFromSources());
