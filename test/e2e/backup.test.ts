// The backup that docs/operating.md describes, by its very commands, while others push, remove and collect.
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { buildImage, pushImage, randomLayer } from '../fixtures/image.ts';
import { needs } from '../peers/find.ts';
import { must } from '../peers/process.ts';
import { newWorld, ROOT } from '../peers/program.ts';
import { rounds, timeFor } from '../testing/soak.ts';
import { ageStore } from './testing/age-store.ts';

const peers = needs('rsync');
const imageOf = (seed: string) => buildImage({ layers: [randomLayer(`backup ${seed}`, 20_000)] });

/** The commands of the page, which need `$DATA` and `$BACKUP`. That something vanishes meanwhile (status 24) is no error, as the page says. */
async function commandsOf(page: string): Promise<string> {
  const text = await readFile(join(ROOT, 'docs', page), 'utf8');
  const [, commands] = /```sh\n(cd "\$DATA"[\s\S]*?)```/.exec(text) ?? [];
  if (commands === undefined) throw new Error(`no commands of a backup in ${page}`);
  return commands.replaceAll(/^(rsync .*)$/gm, '$1 || [ $? = 24 ]');
}

it.skipIf(peers.missing)(
  `a backup that is made while a registry is written to is whole, with all that was there${peers.why}`,
  { timeout: timeFor(60_000) },
  async () => {
    const commands = await commandsOf('operating.md');
    await using world = await newWorld();
    const backup = join(world.path, 'backup');
    const registry = await world.startRegistry();
    for (let round = 0; round < rounds(2); round++) {
      const kept = Array.from(
        { length: 8 },
        (_, at) => [`team/kept-${at}:r${round}`, imageOf(`${round} ${at}`)] as const,
      );
      for (const [name, image] of kept) await pushImage(registry.base, name, image);
      for (let at = 0; at < 4; at++)
        await pushImage(registry.base, `team/gone:${round}-${at}`, imageOf(`gone ${round} ${at}`));
      await ageStore(world.data, 3);
      let isOver = false;
      const writing = async () => {
        for (let at = 0; !isOver; at++) {
          await pushImage(registry.base, `team/moving:latest`, imageOf(`moving ${round} ${at}`));
          await pushImage(registry.base, `team/new-${at % 3}:r${round}`, imageOf(`new ${round} ${at}`));
        }
      };
      const removing = async () => {
        for (let at = 0; at < 4 && !isOver; at++) await world.must(['lreg_rm', `team/gone:${round}-${at}`]);
        const collection = world.startImages(['lreg_gc', '--older-than=0']);
        await once(collection, 'exit');
      };
      const others = Promise.all([writing(), removing()]);
      try {
        await must('sh', ['-ec', commands], { env: { ...world.env, DATA: world.data, BACKUP: backup } });
      } finally {
        isOver = true;
        await others;
      }
      const checked = JSON.parse(await world.must(['lreg_check', '--json', `--data=${backup}`]));
      expect(checked).toMatchObject({ faults: [], incomplete: [] });
      for (const [name, image] of kept) {
        const found = JSON.parse(await world.must(['lreg_inspect', '--json', name, `--data=${backup}`]));
        expect(JSON.stringify(found)).toContain(image.manifest.digest);
      }
    }
  },
);
