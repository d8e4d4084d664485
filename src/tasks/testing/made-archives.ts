// Images in a layout as items of `make`, and what `make` makes of them.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { FixtureImage } from '../../../test/fixtures/image.ts';
import { writeLayout } from '../../../test/fixtures/layout.ts';
import { type MakeItem, makeItems } from '../make/make-items.ts';
import { type MadePrepulled, type MakeOptions, makePrepulled } from '../make/make-prepulled.ts';
import type { Settings } from '../settings.ts';
import { type TemporaryWorld, temporaryWorld } from './temporary-world.ts';

export interface MadeArchives extends AsyncDisposable {
  readonly world: TemporaryWorld;
  readonly settings: Settings;
  /** The items of these images, by their names in the layout. */
  items(...names: readonly string[]): Promise<readonly MakeItem[]>;
  /** A path in the world's directory. */
  at(name: string): string;
  /** Writes the images into the file. */
  make(
    file: string,
    names: readonly string[],
    options: Partial<MakeOptions> & Pick<MakeOptions, 'format'>,
    settings?: Settings,
  ): Promise<MadePrepulled>;
  bytes(file: string): Promise<Buffer>;
}

/** Temporary files are in `at('tmp')`. */
export async function madeArchives(images: Readonly<Record<string, FixtureImage>>): Promise<MadeArchives> {
  const world = await temporaryWorld();
  const layout = await writeLayout(join(world.path, 'layout'), images);
  const at = (name: string) => join(world.path, name);
  await world.file('tmp/.keep', '');
  const own = world.settings({}, { temporaryDirectory: at('tmp') });
  const items: MadeArchives['items'] = (...names) =>
    makeItems({ items: names.map((name) => `oci:${layout}:${name}`), imagesOf: [] }, own, {});
  return {
    world,
    settings: own,
    items,
    at,
    make: async (file, names, options, settings = own) =>
      await makePrepulled(await items(...names), settings, {
        path: at(file),
        send: async () => {
          throw new Error('nothing is to be sent');
        },
        ...options,
      }),
    bytes: (file) => readFile(at(file)),
    [Symbol.asyncDispose]: () => world[Symbol.asyncDispose](),
  };
}
