// Whether the cost of work is linear or quadratic in its input. Measures the CPU time of this thread only, so that neither other processes nor the
// engine's other threads count.

/** Four times the input costs 4 times as much if the work is linear, and 16 times if it is quadratic. This is a value in between. */
export const LINEAR = 9;
/** So far from the square that one measurement is enough. */
const CLEAR = 6;
const ROUNDS = 8;
/** In microseconds: much longer than what disturbs a run, and several ticks of the clock, which on some kernels has a hundred a second. */
const ENOUGH = Math.max(20_000, 6 * tick());

/** The ratio of the costs of `4 * count` and `count`. Compilation and garbage collection disturb, so it is measured again until it is linear, ROUNDS times at most. */
export async function growth<T>(
  count: number,
  make: (count: number) => T,
  run: (input: T) => unknown,
): Promise<number> {
  const [small, large] = [make(count), make(4 * count)];
  const least = { small: Number.POSITIVE_INFINITY, large: Number.POSITIVE_INFINITY };
  for (let round = 0; round < ROUNDS; round++) {
    // The large input first, so that the small one runs the same compiled code. So the first ratio errs on the high side.
    least.large = Math.min(least.large, await processorTime(large, run));
    least.small = Math.min(least.small, await processorTime(small, run));
    const ratio = least.large / least.small;
    if (ratio < CLEAR || (round > 0 && ratio < LINEAR)) break;
  }
  return least.large / least.small;
}

/** In microseconds, of one run: of as many runs as take long enough. */
async function processorTime<T>(input: T, run: (input: T) => unknown): Promise<number> {
  const start = process.threadCpuUsage();
  for (let runs = 1; ; runs++) {
    await run(input);
    const { user, system } = process.threadCpuUsage(start);
    if (user + system >= ENOUGH) return (user + system) / runs;
  }
}

/** In microseconds: the smallest step that the clock was seen to make. */
function tick(): number {
  let least = Number.POSITIVE_INFINITY;
  for (let seen = 0; seen < 3; seen++) {
    const start = process.threadCpuUsage();
    let passed = 0;
    while (passed === 0) {
      const { user, system } = process.threadCpuUsage(start);
      passed = user + system;
    }
    least = Math.min(least, passed);
  }
  return least;
}
