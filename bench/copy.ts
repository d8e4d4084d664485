// Copying 15 images (~350 MB): the physical limit, the old way's loop, lreg_preload into the embedded registry and into docker-registry.
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { startDockerRegistry } from '../test/peers/docker-registry.ts';
import { must } from '../test/peers/process.ts';
import { newWorld, ROOT } from '../test/peers/program.ts';
import { temporaryDirectory } from '../test/peers/temporary.ts';
import { IMAGES, upstreamData, writeOverlay } from './fixture.ts';
import { type Command, measure, median, medianRatio } from './measure.ts';
import { atLeast, atMost, type Figure, plain } from './report.ts';

type Way = 'limit' | 'embedded' | 'old' | 'registry';

export async function copyFigures(rounds: number): Promise<readonly Figure[]> {
  await using upstream = await startDockerRegistry({ data: await upstreamData() });
  await using scratch = await temporaryDirectory('bench');
  await using world = await newWorld();
  await world.mirror({ [upstream.host]: upstream.host });
  const overlay = join(scratch.path, 'overlay');
  await writeOverlay(
    overlay,
    IMAGES.map((image) => `${upstream.host}/${image}`),
  );
  const fresh = join(scratch.path, 'fresh');
  const preload = { command: join(ROOT, 'bin/images'), args: ['lreg_preload', overlay] };
  const once = async (way: Way): Promise<number> => {
    await rm(fresh, { recursive: true, force: true });
    if (way === 'limit') {
      return timed({
        command: process.execPath,
        args: [join(ROOT, 'bench/limit.mjs'), upstream.host, fresh, ...IMAGES],
      });
    }
    if (way === 'embedded') return timed({ ...preload, options: { env: { ...world.env, IMAGES_DATA: fresh } } });
    await using destination = await startDockerRegistry({ data: fresh });
    if (way === 'registry') {
      return await timed({ ...preload, options: { env: { ...world.env, LOCAL_REGISTRY: destination.host } } });
    }
    const args = ['copy', upstream.host, ...IMAGES];
    const env = { OLD_ADDRESS: `echo ${destination.host}` };
    return await timed({ command: join(ROOT, 'bench/old-way.sh'), args, options: { env } });
  };

  const ways: readonly Way[] = ['limit', 'embedded', 'old', 'registry'];
  const seconds: Record<Way, number[]> = { limit: [], embedded: [], old: [], registry: [] };
  await once('embedded');
  for (let round = 0; round < rounds; round++) {
    for (const way of ways) seconds[way].push(await once(way));
    console.error(`bench: ${ways.map((way) => `${way} ${seconds[way].at(-1)?.toFixed(2)} s`).join(', ')}`);
  }
  return [
    ...ways.map((way) => plain(`15 images, ${NAMES[way]}`, median(seconds[way]), ' s')),
    atMost(
      'lreg_preload into the embedded registry / the limit',
      medianRatio(seconds.embedded, seconds.limit),
      1.4,
      ' ×',
    ),
    atLeast(
      'loop of skopeo copy / lreg_preload into the embedded registry',
      medianRatio(seconds.old, seconds.embedded),
      2,
      ' ×',
    ),
    atLeast(
      'loop of skopeo copy / lreg_preload into docker-registry',
      medianRatio(seconds.old, seconds.registry),
      1.5,
      ' ×',
    ),
  ];
}

const NAMES: Readonly<Record<Way, string>> = {
  limit: 'the limit: read, hash, write, sync each blob once',
  embedded: 'lreg_preload into the embedded registry',
  old: 'old way: loop of skopeo copy into docker-registry',
  registry: 'lreg_preload into docker-registry',
};

/** What earlier rounds left for the disk to write is written first. */
async function timed(command: Command): Promise<number> {
  await must('sync', []);
  return (await measure(command)).seconds;
}
