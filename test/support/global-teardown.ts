import { closeTestRun } from './test-run.ts';

/** After the last test: stops what the run has started and removes its folder. */
export default closeTestRun;
