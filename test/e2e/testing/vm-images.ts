// Images for VMs that boot with them: in a private registry from which `images make` takes them, and handed over by the overlay.
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { buildImage, busyboxLayer, layerOf, pushImage } from '../../fixtures/image.ts';
import { because, needs } from '../../peers/find.ts';
import { must } from '../../peers/process.ts';
import { newWorld, ROOT, type RunningRegistry, type World } from '../../peers/program.ts';
import { vmNeeds } from '../../peers/vm.ts';

export const VM_IMAGES = ['docker.io/library/one:1', 'docker.io/library/two:1', 'quay.io/tools/three:1'];

/** For VMs that share one store. */
export const sharedStoreNeeds = because([
  vmNeeds().why,
  needs('tar2sqfs').missing && needs('sqfstar').missing ? 'no tar2sqfs or sqfstar here' : undefined,
]);

export interface VmImages extends AsyncDisposable {
  readonly world: World;
  /** It has those images, and `docker.io/library/four:1`. */
  readonly registry: RunningRegistry;
  /** A path in the world; `tmp` is the directory from which the overlay takes what was made. */
  at(name: string): string;
  /** Makes the overlay's tar of what is in `tmp`. */
  overlay(): Promise<string>;
}

/** Each image says `OK` and its name; all have busybox and a file `shared` in layers that they share. */
export async function vmImages(): Promise<VmImages> {
  const world = await newWorld();
  const at = (name: string) => join(world.path, name);
  await mkdir(at('tmp'));
  const registry = await world.startRegistry();
  const below = [busyboxLayer(), layerOf([{ name: 'shared', data: 'shared\n' }])];
  for (const name of ['library/one', 'library/two', 'tools/three', 'library/four']) {
    const text = name.split('/')[1] ?? '';
    const layers = [...below, layerOf([{ name: text, data: text }])];
    await pushImage(registry.base, `${name}:1`, buildImage({ layers, cmd: ['/bin/echo', `OK ${text}`] }));
  }
  return {
    world,
    registry,
    at,
    overlay: async () => {
      const file = at('overlay.tar');
      await must(join(ROOT, 'ovl/images/tar'), [file], { env: { ...world.env, XCLUSTER_TMP: at('tmp') } });
      return file;
    },
    [Symbol.asyncDispose]: () => world[Symbol.asyncDispose](),
  };
}
