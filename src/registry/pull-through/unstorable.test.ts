import { describe, expect, it } from 'vitest';
import { collect, imageOf } from '../../../test/contract/content.ts';
import { ImagesError } from '../../oci/errors.ts';
import { memoryStore } from '../../storage/drivers/staged-store.ts';
import type { Store } from '../../storage/store.ts';
import { type Proxied, proxied, type Upstream, upstreamRegistry } from './testing/proxied.ts';

const DOCKER = { host: 'docker.io' };
const image = imageOf('one');
const [layer = image.config] = image.layers;

interface Full {
  /** As long as it is set, writes fail with it. */
  why: ImagesError | undefined;
  /** Bytes of a blob after which that happens. */
  after: number;
}

function fullStore(): { readonly full: Full; readonly store: Store } {
  const { objects, blobs } = memoryStore();
  const full: Full = { why: new ImagesError('NO_SPACE', 'the disk is full'), after: 0 };
  const check = () => {
    if (full.why) throw full.why;
  };
  async function* broken(body: AsyncIterable<Uint8Array>) {
    yield* body;
    check();
  }
  const put: typeof objects.put = async (...args) => {
    check();
    return await objects.put(...args);
  };
  const write: typeof blobs.write = async (blob, open, options) => {
    if (full.after === 0) check();
    await blobs.write(blob, async (from) => broken(await open(from)), options);
  };
  return { full, store: { objects: { ...objects, put }, blobs: { ...blobs, write } } };
}

async function upstream(): Promise<Upstream> {
  const docker = upstreamRegistry();
  await docker.push('library/app', image, ['1']);
  return docker;
}

async function pull({ registry }: Proxied): Promise<void> {
  await registry.getManifest('library/app', '1', DOCKER);
  for (const { descriptor, bytes } of [layer, image.config]) {
    const { body } = await registry.getBlob('library/app', descriptor.digest, DOCKER);
    expect(await collect(body)).toEqual(bytes);
  }
}

const troubles = ({ events }: Proxied) => events.flatMap((event) => (event.type === 'trouble' ? [event.error] : []));

describe.each(['NO_SPACE', 'READ_ONLY', 'NO_ACCESS'] as const)('a store that takes nothing (%s)', (code) => {
  it('has what is asked for passed on, and tells the operator', async () => {
    const docker = await upstream();
    const { full, store } = fullStore();
    full.why = new ImagesError(code, 'nothing can be written');
    const here = proxied({ hosts: { 'docker.io': docker }, store });
    await pull(here);
    await pull(here);
    await here.proxy.ended();
    expect(troubles(here)).toContain(full.why);
    expect(await here.store.stripped.statManifest('library/app', '1')).toBeUndefined();
  });
});

it('what is passed on is verified: of a wrong content, the end does not come', async () => {
  const docker = await upstream();
  const { store } = fullStore();
  const here = proxied({ hosts: { 'docker.io': docker }, store });
  docker.fault = async (what) => {
    if (!what.startsWith(`GET blob ${layer.descriptor.digest}`)) return undefined;
    async function* body() {
      yield layer.bytes;
      throw new ImagesError('DIGEST_INVALID', 'another content');
    }
    return { descriptor: layer.descriptor, body: body() };
  };
  await here.registry.getManifest('library/app', '1', DOCKER);
  const { body } = await here.registry.getBlob('library/app', layer.descriptor.digest, DOCKER);
  const seen: Uint8Array[] = [];
  const reading = (async () => {
    for await (const chunk of body) seen.push(chunk);
  })();
  await expect(reading).rejects.toMatchObject({ code: 'DIGEST_INVALID' });
  expect(seen).toEqual([]);
});

it('a part of what is passed on can be asked for: clients go on with it where they broke off', async () => {
  const docker = await upstream();
  const here = proxied({ hosts: { 'docker.io': docker }, store: fullStore().store });
  await here.registry.getManifest('library/app', '1', DOCKER);
  const { body } = await here.registry.getBlob('library/app', layer.descriptor.digest, { ...DOCKER, from: 2 });
  expect(await collect(body)).toEqual(layer.bytes.subarray(2));
});

it('a disk that fills in the middle breaks that pull off, and the next one is passed on; with room again, all is stored', async () => {
  const docker = await upstream();
  const { full, store } = fullStore();
  full.after = 1;
  const here = proxied({ hosts: { 'docker.io': docker }, store });
  await here.registry.getManifest('library/app', '1', DOCKER);
  const { body } = await here.registry.getBlob('library/app', layer.descriptor.digest, DOCKER);
  await expect(collect(body)).rejects.toMatchObject({ code: 'NO_SPACE' });
  await pull(here);
  full.why = undefined;
  here.clock += 10_001;
  await pull(here);
  await here.proxy.ended();
  expect((await here.store.stripped.statManifest('library/app', '1'))?.digest).toBe(image.manifest.digest);
});
