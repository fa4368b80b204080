// What every workflow of a worker shares: loaded once and frozen, not evaluated anew for each workflow (a third of the
// CPU time of an intake). So no module that is reached from here may keep state of its own (a test looks for it);
// bundlers name this one in `preloadModules`.
import './index.ts';
import './processes/registry.ts';

// Every promise of a workflow keeps a stack trace, for the call stack in Temporal's UI. Five places say what it waits for;
// with ten an intake that is replayed takes an eighth longer.
Error.stackTraceLimit = 5;
