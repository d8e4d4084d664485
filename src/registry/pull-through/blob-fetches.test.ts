import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { collect, type Image, imageOf } from '../../../test/contract/content.ts';
import { ImagesError } from '../../oci/errors.ts';
import { memoryStore } from '../../storage/drivers/staged-store.ts';
import { proxied, type Upstream, upstreamRegistry } from './testing/proxied.ts';

const DOCKER = { host: 'docker.io' };
const QUAY = { host: 'quay.io' };
const layerOf = ({ layers, config }: Image) => layers[0] ?? config;

/** Sends the first bytes of a blob, once, and breaks off. */
function breaksOff(upstream: Upstream, { descriptor, bytes }: Image['config'], sent: number): void {
  let isDone = false;
  upstream.fault = async (what) => {
    if (!what.startsWith(`GET blob ${descriptor.digest}`) || isDone) return undefined;
    isDone = true;
    async function* body() {
      yield bytes.subarray(0, sent);
      throw new ImagesError('BROKEN_OFF', 'the connection broke off');
    }
    return { descriptor, body: body() };
  };
}

const getsOf = ({ asked }: Upstream, { descriptor }: Image['config']) =>
  asked.filter((what) => what.startsWith(`GET blob ${descriptor.digest}`));

it('a host that hangs keeps no other host waiting', async () => {
  const hanging = upstreamRegistry();
  const quay = upstreamRegistry();
  const image = imageOf('small');
  await quay.push('org/app', image, ['1']);
  hanging.fault = (what, options) =>
    what.startsWith('GET blob')
      ? new Promise((_, reject) => options?.signal?.addEventListener('abort', () => reject(options.signal?.reason)))
      : undefined;
  const many = Array.from({ length: 20 }, (_, at) => imageOf(`hangs ${at}`));
  for (const [at, each] of many.entries()) await hanging.push('library/app', each, [`${at}`]);
  const here = proxied({ hosts: { 'docker.io': hanging, 'quay.io': quay } });
  for (const at of many.keys()) await here.registry.getManifest('library/app', `${at}`, DOCKER);
  const waiting = many.map((each) => here.registry.getBlob('library/app', layerOf(each).descriptor.digest, DOCKER));
  const ended = Promise.allSettled(waiting);
  await setImmediate();
  await here.registry.getManifest('org/app', '1', QUAY);
  const { body } = await here.registry.getBlob('org/app', layerOf(image).descriptor.digest, QUAY);
  expect(await collect(body)).toEqual(layerOf(image).bytes);
  await here.end();
  await ended;
});

it('a blob that its registry does not give is told to the operator, with the reason', async () => {
  const docker = upstreamRegistry();
  const image = imageOf('one');
  await docker.push('library/app', image, ['1']);
  const here = proxied({ hosts: { 'docker.io': docker } });
  await here.registry.getManifest('library/app', '1', DOCKER);
  const cause = new ImagesError('BAD_ANSWER', 'text/html [<html>]');
  docker.fault = async (what) => {
    if (what.startsWith('GET blob')) throw cause;
    return undefined;
  };
  await expect(here.registry.getBlob('library/app', layerOf(image).descriptor.digest, DOCKER)).rejects.toThrow();
  expect(here.events).toContainEqual(
    expect.objectContaining({ type: 'trouble', error: expect.objectContaining({ cause }) }),
  );
});

it('where not everybody may pull everything, a fetch goes on from what it left itself, and from nothing else', async () => {
  const docker = upstreamRegistry();
  const quay = upstreamRegistry();
  const image = imageOf('one');
  const layer = layerOf(image);
  await docker.push('library/app', image, ['1']);
  await quay.push('org/app', image, ['1']);
  const store = memoryStore();
  const here = proxied({ hosts: { 'docker.io': docker, 'quay.io': quay }, isShared: () => false, store });
  await here.registry.getManifest('library/app', '1', DOCKER);
  await here.registry.getManifest('org/app', '1', QUAY);
  const pull = async (path: string, options: typeof DOCKER, proxy = here) => {
    const { body } = await proxy.registry.getBlob(path, layer.descriptor.digest, options);
    return await collect(body);
  };
  breaksOff(docker, layer, 3);
  await expect(pull('library/app', DOCKER)).rejects.toThrow();
  breaksOff(docker, layer, 0);
  await expect(pull('library/app', DOCKER)).rejects.toThrow();
  expect(getsOf(docker, layer)[1]).toBe(`GET blob ${layer.descriptor.digest} from 3`);

  // Of another repository's part nothing is used, and it does not stand in the way.
  expect(await pull('org/app', QUAY)).toEqual(layer.bytes);
  await here.proxy.ended();
  expect(getsOf(quay, layer)[0]).toBe(`GET blob ${layer.descriptor.digest} from 0`);
  expect((await here.store.stripped.statManifest('org/app', '1'))?.digest).toBe(image.manifest.digest);
  expect(await here.store.stripped.statBlob('library/app', layer.descriptor.digest)).toBeUndefined();
});

it('where not everybody may pull everything, the part that an earlier process left does not keep an image from being stored', async () => {
  const docker = upstreamRegistry();
  const image = imageOf('one');
  const layer = layerOf(image);
  await docker.push('library/app', image, ['1']);
  const store = memoryStore();
  const options = { hosts: { 'docker.io': docker }, isShared: () => false, store };
  const earlier = proxied(options);
  await earlier.registry.getManifest('library/app', '1', DOCKER);
  breaksOff(docker, layer, 3);
  const broken = await earlier.registry.getBlob('library/app', layer.descriptor.digest, DOCKER);
  await expect(collect(broken.body)).rejects.toThrow();
  await earlier.end();

  const here = proxied(options);
  const { body } = await here.registry.getBlob('library/app', layer.descriptor.digest, DOCKER);
  expect(await collect(body)).toEqual(layer.bytes);
  await here.proxy.ended();
  expect((await here.store.stripped.statManifest('library/app', '1'))?.digest).toBe(image.manifest.digest);
});

describe('many blobs at one host that hangs', () => {
  async function scene(count: number) {
    const docker = upstreamRegistry();
    const images = Array.from({ length: count }, (_, at) => imageOf(`many ${at}`));
    for (const [at, each] of images.entries()) await docker.push('library/app', each, [`${at}`]);
    const open = Promise.withResolvers<undefined>();
    docker.fault = (what) => (what.startsWith('GET blob') ? open.promise : undefined);
    const asker = { name: 'many' };
    const here = proxied({ hosts: { 'docker.io': docker }, asker: () => asker.name });
    for (const at of images.keys()) await here.registry.getManifest('library/app', `${at}`, DOCKER);
    const layers = images.map(layerOf);
    const ask = (at: number, signal?: AbortSignal) =>
      here.registry.getBlob('library/app', layers[at]?.descriptor.digest ?? layerOf(imageOf('x')).descriptor.digest, {
        ...DOCKER,
        ...(signal && { signal }),
      });
    const asked = () => layers.flatMap((layer, at) => (getsOf(docker, layer).length > 0 ? [at] : []));
    return { docker, here, layers, ask, asked, asker, open };
  }

  it('who asks for many leaves room for another, who waits behind nobody', async () => {
    const { here, layers, ask, asked, asker, open } = await scene(12);
    const many = layers.slice(1).map((_, at) => ask(at + 1));
    await setImmediate();
    asker.name = 'one';
    const one = ask(0);
    await setImmediate();
    expect([asked().length, asked().includes(0)]).toEqual([7, true]);
    open.resolve(undefined);
    for (const [at, { body }] of [await one, ...(await Promise.all(many))].entries()) {
      expect(await collect(body)).toEqual(layers[at]?.bytes);
    }
    await here.proxy.ended();
  });

  it('what nobody waits for any more is not begun; what has begun goes on', async () => {
    const { here, layers, ask, asked, open } = await scene(10);
    const gone = new AbortController();
    const many = Promise.allSettled(layers.map((_, at) => ask(at, gone.signal)));
    await setImmediate();
    const begun = asked();
    expect(begun).toHaveLength(6);
    gone.abort(new Error('the client has gone'));
    await many;
    open.resolve(undefined);
    await here.proxy.ended();
    expect(asked()).toEqual(begun);
    // A later one is fetched as ever.
    const last = layers.length - 1;
    expect(await collect((await ask(last)).body)).toEqual(layers[last]?.bytes);
    await here.proxy.ended();
  });
});
