import { describe, expect, it } from 'vitest';
import { ImagesError } from '../oci/errors.ts';
import { parsePlatformChoice } from '../oci/platform.ts';
import { parseReference } from '../oci/reference.ts';
import { registrySink } from '../transports/registry-sink.ts';
import { registrySource } from '../transports/registry-source.ts';
import { planCopy } from './plan.ts';
import { copy, planOf } from './testing/copy.ts';
import { makeBlob, makeImage, makeIndex, push } from './testing/images.ts';
import { memoryRegistry, sinkInto } from './testing/memory-registry.ts';
import { watchedRegistry } from './testing/watched-registry.ts';

const shared = makeBlob('shared '.repeat(1000));
const one = makeImage({ layers: [shared, makeBlob('one')] });
const two = makeImage({ layers: [shared, makeBlob('two')] });
const arm = makeImage({ platform: 'linux/arm64', layers: [makeBlob('arm '.repeat(100))] });
const index = makeIndex([one, arm]);
const configOf = (image: typeof one) => image.blobs[0]?.descriptor.digest;
const size = (image: typeof one) => image.blobs.reduce((sum, blob) => sum + blob.descriptor.size, 0);

async function upstream() {
  const registry = memoryRegistry();
  await push(registry, 'one:1', one);
  await push(registry, 'two:1', two);
  await push(registry, 'multi:1', index);
  return watchedRegistry(registry);
}

describe('a plan', () => {
  it('knows every byte, shared ones once, by a manifest and a config for each image', async () => {
    const { registry: from, asked } = await upstream();
    const plan = await planOf(['one:1', 'two:1'], { from, to: sinkInto(memoryRegistry()) });
    expect(plan.bytes).toBe(size(one) + size(two) - shared.descriptor.size);
    expect(plan.alreadyThere).toBe(0);
    expect(plan.blobs.size).toBe(5);
    expect(asked.calls.toSorted()).toEqual([
      ...[one, two].map((image) => `getBlob ${image === one ? 'one' : 'two'}@${configOf(image)}`),
      'getManifest one:1',
      'getManifest two:1',
    ]);
    expect(plan.requests).toBe(2 + 5);
  });

  it('refuses two images that would have one name at the destination, and accepts one image with two names', async () => {
    const { registry: from } = await upstream();
    const named = (host: string, path: string) => ({
      name: parseReference(`${host}/app:1`),
      source: registrySource(from, parseReference(`${path}:1`), { label: 'the source' }),
    });
    const [a, b, same] = [named('a.example', 'one'), named('b.example', 'two'), named('c.example', 'one')];
    const options = { platforms: parsePlatformChoice('linux/amd64') };
    await expect(planCopy([a, b], sinkInto(memoryRegistry()), options)).rejects.toMatchObject({
      code: 'UNSUPPORTED',
      message: expect.stringMatching(/b\.example\/app:1 and a\.example\/app:1 are two images.* app:1 /),
    });
    const plan = await planCopy([a, b, same], sinkInto(memoryRegistry()), { ...options, keepGoing: true });
    expect(plan.images.map(({ image }) => image)).toEqual(['a.example/app:1', 'c.example/app:1']);
    expect(plan.failed.map(({ image }) => image)).toEqual(['b.example/app:1']);
    const records = registrySink(memoryRegistry(), {
      label: 'the destination',
      repository: ({ path }) => path,
      indexes: 'sparse',
      onCommit: async () => undefined,
    });
    expect((await planCopy([a, b], records, options)).images).toHaveLength(2);
  });

  it('changes nothing at the destination', async () => {
    const { registry: from } = await upstream();
    const destination = watchedRegistry(memoryRegistry());
    await planOf(['one:1', 'multi:1'], { from, to: sinkInto(destination.registry) });
    expect(new Set(destination.asked.calls.map((call) => call.split(' ')[0]))).toEqual(
      new Set(['statBlob', 'statManifest']),
    );
  });

  it('takes the wanted platform of an index, and its bytes alone', async () => {
    const { registry: from, asked } = await upstream();
    const plan = await planOf(['multi:1'], { from, to: sinkInto(memoryRegistry()), platforms: 'linux/arm64' });
    expect(plan.bytes).toBe(size(arm));
    expect(asked.count('getManifest')).toBe(2);
    const all = await planOf(['multi:1'], { from, to: sinkInto(memoryRegistry()), platforms: 'all' });
    expect(all.bytes).toBe(size(arm) + size(one));
  });

  it('takes a single image whatever its platform', async () => {
    const from = memoryRegistry();
    await push(from, 'arm:1', arm);
    const plan = await planOf(['arm:1'], { from, to: sinkInto(memoryRegistry()) });
    expect(plan.bytes).toBe(size(arm));
  });

  it('names the available platforms if none suits', async () => {
    const { registry: from } = await upstream();
    const failed = planOf(['multi:1'], { from, to: sinkInto(memoryRegistry()), platforms: 'windows/amd64' });
    await expect(failed).rejects.toMatchObject({
      code: 'PLATFORM_UNKNOWN',
      message: 'multi:1 is not there for [windows/amd64]: it has linux/amd64, linux/arm64',
    });
  });

  it('takes all children for a reference by digest where the destination may refuse sparse indexes', async () => {
    const { registry: from } = await upstream();
    const name = `multi@${index.manifest.digest}`;
    const complete = await planOf([name], { from, to: sinkInto(memoryRegistry(), 'complete') });
    expect(complete.bytes).toBe(size(arm) + size(one));
    const sparse = await planOf([name], { from, to: sinkInto(memoryRegistry(), 'sparse') });
    expect(sparse.bytes).toBe(size(one));
  });

  it('subtracts what is there: blobs, parts of blobs, what another image of the run has', async () => {
    const { registry: from } = await upstream();
    const there = memoryRegistry();
    await push(there, 'one:1', one);
    const to = sinkInto(there);
    const plan = await planOf(['one:1', 'two:1'], { from, to });
    expect(plan.bytes).toBe(size(two) - shared.descriptor.size);
    expect(plan.alreadyThere).toBe(size(one));
    expect(plan.blobs.get(shared.descriptor.digest)?.from).toEqual({ path: 'one', tag: '1' });

    const part = memoryRegistry();
    const broken = async function* () {
      yield shared.bytes.slice(0, 3000);
      throw new ImagesError('BROKEN_OFF', 'broken off');
    };
    await expect(part.putBlob('elsewhere', shared.descriptor, async () => broken())).rejects.toThrow('broken off');
    const rest = await planOf(['one:1'], { from, to: sinkInto(part) });
    expect(rest.alreadyThere).toBe(3000);
    expect(rest.bytes).toBe(size(one) - 3000);
  });

  it('does not ask for manifests of children that are there, unless forced', async () => {
    const { registry: from, asked } = await upstream();
    const to = sinkInto(memoryRegistry());
    await copy(['multi:1'], { from, to });
    asked.calls.length = 0;
    const again = await planOf(['multi:1'], { from, to });
    expect(asked.calls).toEqual(['getManifest multi:1']);
    expect(again.bytes).toBe(0);
    asked.calls.length = 0;
    await planOf(['multi:1'], { from, to, force: true });
    expect(asked.count('getManifest')).toBe(2);
  });

  it('asks for a child that two indexes share once', async () => {
    const { registry: from, asked } = await upstream();
    await push(from, 'multi:2', makeIndex([arm, one]));
    asked.calls.length = 0;
    await planOf(['multi:1', 'multi:2'], { from, to: sinkInto(memoryRegistry()) });
    expect(asked.count('getManifest')).toBe(3);
  });

  it('collects failures where it keeps going, and else ends at the first, saying which image and which end', async () => {
    const { registry: from } = await upstream();
    const to = sinkInto(memoryRegistry());
    const kept = await planOf(['one:1', 'none:1', 'two:1'], { from, to, keepGoing: true });
    expect(kept.images.map((image) => image.image)).toEqual(['one:1', 'two:1']);
    expect(kept.failed.map(({ image, error }) => [image, error.code])).toEqual([['none:1', expect.any(String)]]);
    await expect(planOf(['one:1', 'none:1'], { from, to })).rejects.toThrow('none:1: its registry has no such image');
  });

  it('ends when the signal fires', async () => {
    const { registry: from } = await upstream();
    const signal = AbortSignal.abort(new ImagesError('ABORTED', 'enough'));
    await expect(planOf(['one:1'], { from, to: sinkInto(memoryRegistry()), signal })).rejects.toThrow('enough');
  });

  it('brings signatures and what else refers to an image, and what refers to that', async () => {
    const { registry: from } = await upstream();
    const signature = makeImage({
      layers: [makeBlob('signature')],
      subject: one.manifest,
      artifactType: 'application/x.sig',
    });
    const onSignature = makeImage({
      layers: [makeBlob('stamp')],
      subject: signature.manifest,
      artifactType: 'a/stamp',
    });
    const cosign = makeImage({ layers: [makeBlob('cosign')] });
    await push(from, 'one', signature);
    await push(from, 'one', onSignature);
    await push(from, `two:${two.manifest.digest.replace(':', '-')}.sig`, cosign);
    await push(from, `two:${two.manifest.digest.replace(':', '-')}.att`, cosign);
    await push(from, `one:${one.manifest.digest.replace(':', '-')}.sig`, cosign);
    const without = await planOf(['one:1'], { from, to: sinkInto(memoryRegistry()) });
    expect(without.images[0]?.attached).toEqual([]);
    const plan = await planOf(['one:1', 'two:1'], { from, to: sinkInto(memoryRegistry()), referrers: true });
    const attached = plan.images.map((image) => image.attached.map(({ manifest, tag }) => [manifest.digest, tag]));
    expect(attached).toEqual([
      [
        [signature.manifest.digest, undefined],
        [cosign.manifest.digest, `${one.manifest.digest.replace(':', '-')}.sig`],
        [onSignature.manifest.digest, undefined],
      ],
      [
        [cosign.manifest.digest, `${two.manifest.digest.replace(':', '-')}.sig`],
        [cosign.manifest.digest, `${two.manifest.digest.replace(':', '-')}.att`],
      ],
    ]);
  });

  it('refuses what is no image', async () => {
    const from = memoryRegistry();
    const odd = watchedRegistry(from).registry;
    const html = {
      ...odd,
      getManifest: async () => ({ ...one.manifest, bytes: Buffer.from('<html>'), size: 6 }),
    };
    await expect(planOf(['one:1'], { from: html, to: sinkInto(memoryRegistry()) })).rejects.toMatchObject({
      code: 'MANIFEST_INVALID',
    });
  });
});
