/**
 * Jest runs the sources as Node runs them: types are stripped in place (Jest 30 does it with Node's own
 * `stripTypeScriptTypes`), so that line and branch numbers of a coverage report are those of the source.
 * `test/run.mjs` is what `npm test` calls; it asks for coverage when the whole suite runs.
 */
const covered = ['activities', 'api', 'db', 'workers', 'workflows'];

/** @type {import('jest').Config} */
export default {
  rootDir: '..',
  roots: ['test', ...covered].map((room) => `<rootDir>/${room}`),
  testMatch: ['<rootDir>/test/**/*.test.ts'],
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  moduleFileExtensions: ['ts', 'mjs', 'js', 'cjs', 'json', 'node'],
  transform: {},
  globalSetup: '<rootDir>/test/support/global-setup.ts',
  globalTeardown: '<rootDir>/test/support/global-teardown.ts',
  testTimeout: 60_000,
  maxWorkers: 3,
  coverageProvider: 'babel',
  coverageReporters: ['text', 'json'],
  // Entry points run as processes of their own, where Jest counts nothing; test/whole starts them.
  collectCoverageFrom: [
    ...covered.map((room) => `${room}/**/*.ts`),
    '!db/migrations/**',
    '!{api,workers}/main.ts',
    '!workers/prebuild.ts',
  ],
  coverageThreshold: Object.fromEntries(covered.map((room) => [`./${room}/`, { lines: 85, branches: 85 }])),
};
