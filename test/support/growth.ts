const roundMicroseconds = 10_000;
const rounds = 3;

/** Growth below which `work` is no threat: four times the text takes 4 times as long, or 16 where it goes by the square. */
export const steepest = 9;

/**
 * How many times the processor time `work` takes for a size four times as large. Ratios of this thread's own time say the
 * same on any machine, whatever else it does.
 */
export function growth(work: (size: number) => void, size: number): number {
  work(size);
  const least = (of: number) => Math.min(...Array.from({ length: rounds }, () => microseconds(() => work(of))));
  return least(4 * size) / least(size);
}

/** Of one run, over as many as can be measured. */
function microseconds(work: () => void): number {
  const used = () => {
    const { user, system } = process.threadCpuUsage();
    return user + system;
  };
  const begun = used();
  let runs = 0;
  while (used() - begun < roundMicroseconds) {
    work();
    runs += 1;
  }
  return (used() - begun) / runs;
}
