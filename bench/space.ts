// `lreg_du` of a store with 10,000 repositories.
import { join } from 'node:path';
import { newWorld, ROOT } from '../test/peers/program.ts';
import { fillStore } from './collect.ts';
import { measure, median } from './measure.ts';
import { atMost, type Figure, plain } from './report.ts';

const REPOSITORIES = 10_000;
/** In MB: as for other work on a large store. */
const MOST_MEMORY = 150;

export async function spaceFigures(rounds: number): Promise<readonly Figure[]> {
  await using world = await newWorld();
  const blobs = fillStore(world.data, 'space', { repositories: REPOSITORIES, perRepository: 1 });
  const command = join(ROOT, 'bin/images');
  const du = (...args: readonly string[]) => ({ command, args: ['lreg_du', ...args], options: { env: world.env } });
  const [all, one]: [number[], number[]] = [[], []];
  for (let round = 0; round < rounds; round++) {
    all.push((await measure(du('--json'))).seconds);
    one.push((await measure(du('bench/app-7'))).seconds);
  }
  const { peak } = await measure(du('--json'), 'memory');
  const size = `${REPOSITORIES} repositories, ${blobs} blobs`;
  return [
    plain(`lreg_du of ${size}`, median(all), ' s'),
    plain('the same, of one repository', median(one), ' s'),
    atMost('the same, peak memory', peak, MOST_MEMORY, ' MB'),
  ];
}
