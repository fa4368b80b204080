const roundMicroseconds = 10_000;
const rounds = 3;

/**
 * Growth below which `work` is no threat: sixteen times the text takes 16 times as long, or 256 where it goes by the square.
 * A busy machine makes three of two, but not four of one.
 */
export const steepest = 64;

/**
 * How many times the processor time `work` takes for four times `size` as for a quarter of it. Ratios of this thread's own
 * time say the same on any machine, whatever else it does.
 */
export function growth(work: (size: number) => void, size: number): number {
  work(size);
  const least = (of: number) => Math.min(...Array.from({ length: rounds }, () => microseconds(() => work(of))));
  return least(4 * size) / least(Math.ceil(size / 4));
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
