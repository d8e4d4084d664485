// All tests; with IMAGES_TEST_OLDEST_NODE (a path) the e2e ones once more, on that Node.
import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';
import { roomCoverage } from './test/testing/room-coverage.ts';
import { summary } from './test/testing/summary.ts';

const oldest = process.env.IMAGES_TEST_OLDEST_NODE;
/** Slow ones: other programs do most of the work, or shorter tests run the same code. */
const NODE_ALIKE = [
  ...['build-corpus', 'containerd-vms', 'docker-export', 'docker-export-tools', 'k3s', 'kind', 'lreg-gc-proofs'],
  ...['make-stores', 'make-vm', 'power-cut', 'vm', 'vm-networks'],
].map((name) => `test/e2e/${name}.test.ts`);
/** For a machine that does much else: only what hangs reaches them. */
const timeouts = { testTimeout: 180_000, hookTimeout: 300_000 };

export default defineConfig({
  test: {
    // Vitest would leave one core of two idle; much of the time is spent in the programs that tests start.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    globalSetup: ['test/testing/end-with-the-run.ts'],
    reporters: ['default', summary(), roomCoverage()],
    // `--coverage`: see room-coverage.ts, which prints and judges it.
    coverage: { provider: 'v8', include: ['src/**/*.ts'], exclude: ['**/testing/**'], reporter: [] },
    projects: [
      { test: { name: 'all', include: ['src/**/*.test.ts', 'test/**/*.test.ts'], ...timeouts } },
      ...(oldest
        ? [
            {
              test: {
                name: 'oldest node',
                include: ['test/e2e/**/*.test.ts'],
                exclude: NODE_ALIKE,
                env: { IMAGES_TEST_NODE: oldest },
                ...timeouts,
              },
            },
          ]
        : []),
    ],
  },
});
