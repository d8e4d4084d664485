import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { buildImage, buildIndex, layerOf } from '../../../test/fixtures/image.ts';
import { writeOverlay } from '../../../test/fixtures/overlay.ts';
import type { CopyEvent } from '../../copy/events.ts';
import { ImagesError } from '../../oci/errors.ts';
import { parsePlatformChoice } from '../../oci/platform.ts';
import type { Registry } from '../../registry/contract.ts';
import { emptyRegistry } from '../../server/testing/content.ts';
import { startServer, type TestServer } from '../../server/testing/start.ts';
import { embeddedStoreExists, openEmbeddedStore } from '../../storage/embedded-store.ts';
import type { OverlayItems } from '../overlays/overlay-images.ts';
import type { Settings } from '../settings.ts';
import { putFixture } from '../testing/hosts-and-store.ts';
import { type TemporaryWorld, temporaryWorld } from '../testing/temporary-world.ts';
import { type PreloadOptions, preloadImages } from './preload-images.ts';

const version = (data: string, architecture = 'amd64') =>
  buildImage({ architecture, layers: [layerOf([{ name: 'version', data }])] });
const AMD = parsePlatformChoice('linux/amd64');
const BOTH = parsePlatformChoice('linux/amd64,linux/arm64');

/** The result of a preload, with the names of images only, in their order. */
async function preload(items: OverlayItems, settings: Settings, options: PreloadOptions = {}) {
  const { copied, loaded, failed, ...rest } = await preloadImages(items, settings, options);
  const names = (images: readonly { readonly image: string }[]) => images.map(({ image }) => image).sort();
  return { ...rest, copied: names(copied), failed: names(failed), loaded: [...loaded].sort() };
}

interface Scene extends AsyncDisposable {
  readonly world: TemporaryWorld;
  /** The registry that the images come from. */
  readonly upstream: Registry;
  /** `team/app:1` → `127.0.0.1:PORT/team/app:1` */
  at(name: string): string;
  /** What the upstream was asked since the last call: `HEAD /v2/…`. */
  asked(): readonly string[];
  /** Preloads an overlay that uses these images. */
  preload(images: readonly string[], options?: PreloadOptions, more?: Partial<Settings>): ReturnType<typeof preload>;
}

/** Of the upstream's images two are in it, `app:1` and `tool:1`. */
async function newScene(change: (registry: Registry) => Registry = (registry) => registry): Promise<Scene> {
  const world = await temporaryWorld();
  const upstream = emptyRegistry();
  await putFixture(upstream, { path: 'app', tag: '1' }, version('app'));
  await putFixture(upstream, { path: 'tool', tag: '1' }, version('tool'));
  const server: TestServer = await startServer(change(upstream));
  let seen = 0;
  return {
    world,
    upstream,
    at: (name) => `${server.host}/${name}`,
    asked: () => {
      const lines = server.events.slice(seen).map(({ method, url }) => `${method} ${url}`);
      seen = server.events.length;
      return lines;
    },
    preload: async (images, options = {}, more = {}) => {
      const overlay = await writeOverlay(join(world.path, `overlay-${images.length}-${images.join().length}`), images);
      const settings = world.settings({ IMAGES_PAUSE: `${server.host}/tool:1` }, more);
      return await preload({ items: [overlay] }, settings, { platforms: AMD, ...options });
    },
    [Symbol.asyncDispose]: async () => {
      await server[Symbol.asyncDispose]();
      await world[Symbol.asyncDispose]();
    },
  };
}

const storeOf = ({ world }: Scene) => openEmbeddedStore(join(world.path, 'share/images'));

describe('preloading overlays', () => {
  it('caches what they use and the pause image; the second time no host is asked', async () => {
    await using scene = await newScene();
    const events: CopyEvent[] = [];
    const first = await scene.preload([scene.at('app:1')], { onEvent: (event) => events.push(event) });
    expect(first).toMatchObject({ dryRun: false, failed: [], loaded: [], skipped: [] });
    expect(first.copied).toEqual([scene.at('app:1'), scene.at('tool:1')]);
    expect(events.length).toBeGreaterThan(0);
    const store = await storeOf(scene);
    expect((await store.stripped.statManifest('app', '1'))?.digest).toBe(version('app').manifest.digest);
    scene.asked();
    const second = await scene.preload([scene.at('app:1')]);
    expect(second).toMatchObject({ copied: [], planned: [], fetched: 0, failed: [] });
    expect(second.loaded).toEqual([scene.at('app:1'), scene.at('tool:1')]);
    expect(scene.asked()).toEqual([]);
  });

  it('without items caches the pause image alone; what the option names goes first', async () => {
    await using scene = await newScene();
    const settings = scene.world.settings({ IMAGES_PAUSE: scene.at('tool:1') });
    const { copied } = await preload({ items: [] }, settings, { pause: scene.at('app:1') });
    expect(copied).toEqual([scene.at('app:1')]);
  });

  it('that use no images makes a store and asks no host', async () => {
    await using world = await temporaryWorld();
    const result = await preload({ items: [] }, world.settings(), { dryRun: true });
    expect(result).toEqual({
      dryRun: true,
      planned: [],
      copied: [],
      requests: 0,
      fetched: 0,
      alreadyThere: 0,
      loaded: [],
      skipped: [],
      failed: [],
    });
    expect(world.notes.join('\n')).toContain('No pause image is added');
  });

  it('can only plan', async () => {
    await using scene = await newScene();
    const { dryRun, planned, copied } = await scene.preload([scene.at('app:1')], { dryRun: true });
    expect([dryRun, [...planned].sort(), copied]).toEqual([true, [scene.at('app:1'), scene.at('tool:1')], []]);
    expect(await Array.fromAsync((await storeOf(scene)).registry.repositories())).toEqual([]);
  });

  it('leaves out images that are built here: no host has them', async () => {
    await using scene = await newScene();
    const { skipped, copied } = await scene.preload([scene.at('mine:local'), 'mine:local-2', scene.at('app:1')]);
    expect([...skipped].sort()).toEqual([scene.at('mine:local'), 'mine:local-2'].sort());
    expect(copied).toEqual([scene.at('app:1'), scene.at('tool:1')]);
    expect(scene.asked().join()).not.toContain('mine');
  });

  it('passes on what the scan warns of', async () => {
    await using scene = await newScene();
    const broken = await scene.world.file('broken.yaml', 'kind: Pod\nspec: [\n');
    const warnings: unknown[] = [];
    const settings = scene.world.settings({ IMAGES_PAUSE: scene.at('tool:1') });
    await preload({ items: [broken] }, settings, { onWarning: (warning) => warnings.push(warning) });
    expect(warnings).toEqual([expect.objectContaining({ file: broken })]);
  });

  it('fails before it makes a store where an item is unknown', async () => {
    await using world = await temporaryWorld();
    const preloading = preload({ items: ['nowhere'] }, world.settings());
    await expect(preloading).rejects.toMatchObject({ code: 'OVERLAY_UNKNOWN' });
    expect(await embeddedStoreExists(join(world.path, 'share/images'))).toBe(false);
  });

  it('fails for an invalid name, or lists it with other failures if the run goes on', async () => {
    await using scene = await newScene();
    const items = { items: ['-'], input: lines('A:1', scene.at('nothing:1'), scene.at('app:1')) };
    const settings = scene.world.settings({ IMAGES_PAUSE: scene.at('tool:1') });
    await expect(preload(items, settings)).rejects.toMatchObject({ code: 'REFERENCE_INVALID' });
    const again = { items: ['-'], input: lines('A:1', scene.at('nothing:1'), scene.at('app:1')) };
    const { copied, failed } = await preload(again, settings, { keepGoing: true, platforms: AMD });
    expect(copied).toEqual([scene.at('app:1'), scene.at('tool:1')]);
    expect(failed).toEqual([scene.at('nothing:1'), 'A:1']);
    const list = { items: ['-'], input: lines(scene.at('nothing:1'), scene.at('tool:2'), scene.at('app:1')) };
    const listed = await preload(list, settings, { platforms: AMD, force: true });
    expect([listed.copied.includes(scene.at('app:1')), listed.failed]).toEqual([
      true,
      [scene.at('nothing:1'), scene.at('tool:2')],
    ]);
    const third = await preload({ items: ['-'], input: lines('A:1') }, settings, { keepGoing: true });
    expect(third).toMatchObject({ copied: [], failed: ['A:1'], loaded: [scene.at('tool:1')] });
  });

  it('ends when it is aborted', async () => {
    await using scene = await newScene();
    const signal = AbortSignal.abort(new ImagesError('ABORTED', 'enough'));
    await expect(scene.preload([scene.at('app:1')], {}, { signal })).rejects.toMatchObject({ code: 'ABORTED' });
    expect(scene.asked()).toEqual([]);
  });
});

describe('preloading again', () => {
  it('with refresh caches what has moved at its host: one HEAD each finds out', async () => {
    await using scene = await newScene();
    await scene.preload([scene.at('app:1')]);
    scene.asked();
    expect((await scene.preload([scene.at('app:1')], { refresh: true })).copied).toEqual([]);
    expect([...scene.asked()].sort()).toEqual(['HEAD /v2/app/manifests/1', 'HEAD /v2/tool/manifests/1']);
    await putFixture(scene.upstream, { path: 'app', tag: '1' }, version('newer'));
    const { copied, loaded } = await scene.preload([scene.at('app:1')], { refresh: true });
    expect([copied, loaded]).toEqual([[scene.at('app:1')], [scene.at('tool:1')]]);
  });

  it('with refresh looks at a single image, too', async () => {
    await using scene = await newScene();
    const settings = scene.world.settings({ IMAGES_PAUSE: scene.at('tool:1') });
    await preload({ items: [] }, settings);
    await putFixture(scene.upstream, { path: 'tool', tag: '1' }, version('newer'));
    expect((await preload({ items: [] }, settings)).copied).toEqual([]);
    expect((await preload({ items: [] }, settings, { refresh: true })).copied).toEqual([scene.at('tool:1')]);
  });

  it('with force looks at everything, and fetches no layer that is there', async () => {
    await using scene = await newScene();
    await scene.preload([scene.at('app:1')]);
    scene.asked();
    const { loaded, planned } = await scene.preload([scene.at('app:1')], { force: true });
    expect([loaded, planned.length]).toEqual([[], 2]);
    const layer = version('app').blobs[1]?.digest ?? '';
    expect(scene.asked().filter((line) => line.includes(layer))).toEqual([]);
  });

  it('for another platform caches what is not there for it', async () => {
    await using scene = await newScene();
    const index = buildIndex([version('app'), version('app', 'arm64')]);
    await putFixture(scene.upstream, { path: 'many', tag: '1' }, index);
    await scene.preload([scene.at('many:1')]);
    const { copied, loaded } = await scene.preload([scene.at('many:1')], { platforms: BOTH });
    expect([copied, loaded]).toEqual([[scene.at('many:1')], [scene.at('tool:1')]]);
  });
});

describe('strings that only look like an image', () => {
  const thing = (...names: readonly string[]) =>
    `apiVersion: example.com/v1\nkind: Thing\nspec:\n${names.map((name, at) => `  word${at}: ${name}\n`).join('')}`;

  it('are cached with maybe, if their host has them', async () => {
    await using scene = await newScene();
    const names = ['app:1', 'no/image:1', 'mine:local'].map((name) => scene.at(name));
    const file = await scene.world.file('thing.yaml', thing(...names));
    const settings = scene.world.settings({ IMAGES_PAUSE: scene.at('tool:1') });
    expect((await preload({ items: [file] }, settings)).copied).toEqual([scene.at('tool:1')]);
    scene.asked();
    const { copied, failed } = await preload({ items: [file] }, settings, { maybe: true });
    expect([copied, failed]).toEqual([[scene.at('app:1')], []]);
    expect(scene.asked().join()).not.toContain('mine');
    scene.asked();
    const again = await preload({ items: [file] }, settings, { maybe: true });
    expect([again.copied, scene.asked().filter((line) => line.includes('/app/'))]).toEqual([[], []]);
  });

  it('are skipped with a note if their host does not answer clearly', async () => {
    const refuse = () => Promise.reject(new ImagesError('DENIED', 'not for you'));
    await using scene = await newScene((inner) => ({
      ...inner,
      getManifest: (path, ...asked) => (path === 'app' ? refuse() : inner.getManifest(path, ...asked)),
    }));
    const file = await scene.world.file('thing.yaml', thing(scene.at('app:1')));
    const settings = scene.world.settings({ IMAGES_PAUSE: scene.at('tool:1') });
    const { copied } = await preload({ items: [file] }, settings, { maybe: true, platforms: AMD });
    expect(copied).toEqual([scene.at('tool:1')]);
    expect(scene.world.notes.join('\n')).toContain(`${scene.at('app:1')} may be an image, its host does not say: `);
  });

  it('do not make the run fail', async () => {
    const abort = new AbortController();
    const end = () => {
      abort.abort(new ImagesError('ABORTED', 'enough'));
      return Promise.reject(new ImagesError('ABORTED', 'enough'));
    };
    await using scene = await newScene((inner) => ({ ...inner, getManifest: end }));
    const file = await scene.world.file('thing.yaml', thing(scene.at('app:1')));
    const settings = scene.world.settings({}, { signal: abort.signal });
    const preloading = preload({ items: [file] }, settings, { maybe: true });
    await expect(preloading).rejects.toMatchObject({ code: 'ABORTED' });
  });
});

async function* lines(...texts: readonly string[]) {
  yield new TextEncoder().encode(texts.map((text) => `${text}\n`).join(''));
}
