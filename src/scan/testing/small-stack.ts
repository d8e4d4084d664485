// A process with a small stack: `node --stack-size=KB small-stack.ts DIRECTORY` scans the directory, and prints how many values its stack holds, at most, and how
// many findings and warnings there are.
import { scan } from '../scan.ts';

const { findings, warnings } = await scan(process.argv[2] ?? '');
process.stdout.write(JSON.stringify({ held: heldByStack(), findings: findings.length, warnings: warnings.length }));

/** As arguments of one call; rounded up to a power of two. */
function heldByStack(): number {
  for (let count = 1; ; count *= 2) {
    try {
      Math.max(...new Array<number>(count).fill(0));
    } catch {
      return count;
    }
  }
}
