// Whether work grows with its input, or with the square of it: told by processor time of this thread alone, so that neither a busy machine nor what the
// engine does beside counts.

/** Between 4, as what is linear has it, and 16, as the square has it. */
export const LINEAR = 9;
const ROUNDS = 8;
/** In microseconds: several ticks of the slowest clock, a hundredth of a second. */
const ENOUGH = 60_000;

/** How many times as long four times as much takes. Compiling and collecting garbage disturb: it is measured anew until it is linear, some times at most. */
export async function growth<T>(
  count: number,
  make: (count: number) => T,
  run: (input: T) => unknown,
): Promise<number> {
  const [small, large] = [make(count), make(4 * count)];
  const least = { small: Number.POSITIVE_INFINITY, large: Number.POSITIVE_INFINITY };
  for (let round = 0; round < ROUNDS; round++) {
    // The large one first: the small one then runs as it was compiled for it.
    least.large = Math.min(least.large, await processorTime(large, run));
    least.small = Math.min(least.small, await processorTime(small, run));
    if (round > 0 && least.large / least.small < LINEAR) break;
  }
  return least.large / least.small;
}

/** In microseconds, of one run. The kernel counts by its clock's ticks: so there are as many runs as fill some of them. */
async function processorTime<T>(input: T, run: (input: T) => unknown): Promise<number> {
  const start = process.threadCpuUsage();
  for (let runs = 1; ; runs++) {
    await run(input);
    const { user, system } = process.threadCpuUsage(start);
    if (user + system >= ENOUGH) return (user + system) / runs;
  }
}
