/** Istanbul's counters of one file: statements, functions, and the arms of each branch. */
interface Counters {
  s: Record<string, number>;
  f: Record<string, number>;
  b: Record<string, number[]>;
}
type Coverage = Record<string, Counters>;

/**
 * Where an instrumented bundle (test/support/bundle.ts) reports what ran inside the workflow sandbox. Both sides
 * instrument the same text, so counters are added one by one to those of the modules that Jest has loaded.
 */
export const coverageSinks = {
  coverage: {
    merge: {
      fn(_workflow: unknown, fromSandbox: Coverage) {
        const scope = globalThis as { __coverage__?: Coverage };
        scope.__coverage__ ??= {};
        for (const [path, counters] of Object.entries(fromSandbox)) {
          const known = (scope.__coverage__[path] ??= counters);
          if (known !== counters) add(known, counters);
        }
      },
      callDuringReplay: false,
    },
  },
};

function add(known: Counters, more: Counters): void {
  for (const [id, count] of Object.entries(more.s)) known.s[id] = (known.s[id] ?? 0) + count;
  for (const [id, count] of Object.entries(more.f)) known.f[id] = (known.f[id] ?? 0) + count;
  for (const [id, arms] of Object.entries(more.b)) {
    known.b[id] = arms.map((count, arm) => count + (known.b[id]?.[arm] ?? 0));
  }
}
