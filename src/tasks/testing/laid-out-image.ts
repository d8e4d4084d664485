// Images in an OCI layout, named as a user would, for tests of commands that look into images.
import { join } from 'node:path';
import type { FixtureImage } from '../../../test/fixtures/image.ts';
import { writeLayout } from '../../../test/fixtures/layout.ts';
import type { Settings } from '../settings.ts';
import { temporaryWorld } from './temporary-world.ts';

export interface LaidOutImages extends AsyncDisposable {
  readonly settings: Settings;
  /** `oci:DIR:TAG`. */
  named(tag: string): string;
}

export async function laidOut(images: Readonly<Record<string, FixtureImage>>): Promise<LaidOutImages> {
  const world = await temporaryWorld();
  const directory = await writeLayout(join(world.path, 'layout'), images);
  return {
    settings: world.settings(),
    named: (tag) => `oci:${directory}:${tag}`,
    [Symbol.asyncDispose]: () => world[Symbol.asyncDispose](),
  };
}
