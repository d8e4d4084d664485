// The speed of `lreg_check`: a store of large blobs, against a bare Node script that reads and hashes the same files as many at a time, and against sha256sum.
import { randomFillSync } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { digestOf } from '../src/oci/digest.ts';
import { blobKey } from '../src/storage/layout/registry-keys.ts';
import { FORMAT_KEY } from '../src/storage/layout/store-keys.ts';
import { newWorld, ROOT } from '../test/peers/program.ts';
import { measure, median, medianRatio } from './measure.ts';
import { atLeast, type Figure, plain } from './report.ts';

const BLOBS = 40;
/** In bytes. */
const SIZE = 25_000_000;
const ALL = `${(BLOBS * SIZE) / 1e9} GB in ${BLOBS} blobs`;

export async function checkFigures(rounds: number): Promise<readonly Figure[]> {
  await using world = await newWorld();
  const files = fill(world.data);
  const check = { command: join(ROOT, 'bin/images'), args: ['lreg_check', '--json'], options: { env: world.env } };
  const bare = { command: process.execPath, args: [join(ROOT, 'bench/limit-check.mjs'), ...files] };
  const sums = { command: 'sha256sum', args: files };
  const seconds = { check: [] as number[], bare: [] as number[], sums: [] as number[] };
  // The first reads the files into memory.
  await measure(sums);
  for (let round = 0; round < rounds; round++) {
    seconds.check.push((await measure(check)).seconds);
    seconds.bare.push((await measure(bare)).seconds);
    seconds.sums.push((await measure(sums)).seconds);
  }
  return [
    plain(`lreg_check, ${ALL}`, median(seconds.check), ' s'),
    plain('the limit: a bare script that reads and hashes the same files', median(seconds.bare), ' s'),
    plain('sha256sum of the same files', median(seconds.sums), ' s'),
    atLeast('the limit / lreg_check', medianRatio(seconds.bare, seconds.check), 0.8, ' ×'),
    atLeast('sha256sum / lreg_check', medianRatio(seconds.sums, seconds.check), 0.8, ' ×'),
  ];
}

/** Returns the files of the blobs. */
function fill(data: string): readonly string[] {
  const put = (key: string, content: string | Uint8Array) => {
    const path = join(data, key);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
    return path;
  };
  put(FORMAT_KEY, '1');
  const bytes = Buffer.alloc(SIZE);
  return Array.from({ length: BLOBS }, () => {
    randomFillSync(bytes);
    return put(blobKey(digestOf(bytes)), bytes);
  });
}
