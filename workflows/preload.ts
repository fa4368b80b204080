// What every workflow of a worker shares: loaded once and frozen, not evaluated anew for each workflow (a third of the
// CPU time of an intake). Only pure modules without state may be reached from here; bundlers name it in `preloadModules`.
import './processes/envelope.ts';
import './processes/registry.ts';
