// The setting of most e2e tests: a world for the program, and an upstream registry with a few images that counts requests.
import { join } from 'node:path';
import { buildImage, buildIndex, randomLayer } from '../../fixtures/image.ts';
import { writeOverlay } from '../../fixtures/overlay.ts';
import { newWorld, type World } from '../../peers/program.ts';
import { startUpstream, type Upstream } from '../../peers/upstream.ts';

const SHARED = randomLayer('scene shared', 100_000);

/** ALPINE and TOOL share a layer. MANY is for two platforms. */
export const ALPINE = buildImage({ layers: [SHARED], labels: { which: 'alpine' } });
export const TOOL = buildImage({ layers: [SHARED, randomLayer('scene tool', 50_000)], kind: 'docker' });
export const ARM = buildImage({ layers: [randomLayer('scene arm', 20_000)], architecture: 'arm64' });
export const AMD = buildImage({ layers: [randomLayer('scene amd', 30_000)] });
export const MANY = buildIndex([AMD, ARM]);
/** Pushed by tests to a tag that exists. */
export const NEWER = buildImage({ layers: [randomLayer('scene newer', 40_000)] });

export interface Scene extends AsyncDisposable {
  readonly world: World;
  readonly upstream: Upstream;
  /** References at the upstream: `library/alpine:1` → `127.0.0.1:PORT/library/alpine:1`. */
  at(name: string): string;
  /** Writes an overlay that uses these images. Returns its directory. */
  overlay(name: string, images: readonly string[]): Promise<string>;
}

export async function newScene(): Promise<Scene> {
  const world = await newWorld();
  const upstream = await startUpstream();
  upstream.addImage('library/alpine:1', ALPINE);
  upstream.addImage('team/tool:v1', TOOL);
  upstream.addImage('team/many:1', MANY);
  return {
    world,
    upstream,
    at: (name) => `${upstream.host}/${name}`,
    overlay: (name, images) => writeOverlay(join(world.path, 'overlays', name), images),
    [Symbol.asyncDispose]: async () => {
      await upstream[Symbol.asyncDispose]();
      await world[Symbol.asyncDispose]();
    },
  };
}
