#!/usr/bin/env node
// The `crm` command of a checkout: sets it up if need be, and runs cli/main.ts with its Node 24.
process.argv.splice(2, 0, 'cli/main.ts');
await import('../runtime/setup.mjs');
