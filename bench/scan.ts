// getimages over a large collection: 10,000 manifests of 1–2 KB, against 1,000 of them for the memory; and over a real overlay.
import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { newWorld, ROOT } from '../test/peers/program.ts';
import { temporaryDirectory } from '../test/peers/temporary.ts';
import { CALICO, writeCollection } from './fixture.ts';
import { measure, median } from './measure.ts';
import { atMost, type Figure, plain } from './report.ts';

export async function scanFigures(rounds: number): Promise<readonly Figure[]> {
  await using scratch = await temporaryDirectory('bench');
  await using world = await newWorld();
  const large = join(scratch.path, 'large');
  const small = join(scratch.path, 'small');
  await writeCollection(large, 10_000);
  await writeCollection(small, 1_000);
  const scan = (directory: string) => ({
    command: join(ROOT, 'bin/images'),
    args: ['getimages', directory],
    options: { env: world.env },
  });
  const forget = () => rm(join(world.env.XDG_CACHE_HOME ?? '', 'images/scans'), { recursive: true, force: true });
  const seconds: number[] = [];
  const again: number[] = [];
  for (let round = 0; round < rounds; round++) {
    await forget();
    seconds.push((await measure(scan(large))).seconds);
    again.push((await measure(scan(large))).seconds);
  }
  const calico: number[] = [];
  for (let round = 0; round < rounds && existsSync(CALICO); round++) {
    await forget();
    calico.push((await measure(scan(CALICO))).seconds);
  }
  await forget();
  const largePeak = (await measure(scan(large), 'memory')).peak;
  const smallPeak = (await measure(scan(small), 'memory')).peak;
  return [
    atMost('getimages, 10,000 files of 1–2 KB', median(seconds), 2, ' s'),
    plain('getimages, the same again, unchanged', median(again), ' s'),
    ...(calico.length > 0 ? [plain('getimages, the calico overlay for the first time', median(calico), ' s')] : []),
    atMost('getimages, peak memory, 10,000 files', largePeak, 150, ' MB'),
    plain('getimages, peak memory, 1,000 files', smallPeak, ' MB'),
  ];
}
