import { describe, expect, it } from 'vitest';
import { digestOf } from '../oci/digest.ts';
import { ImagesError } from '../oci/errors.ts';
import { manifestDescriptor } from '../oci/manifest.ts';
import type { Registry } from '../registry/contract.ts';
import { markOpenAnew } from '../registry/open-anew.ts';
import { registrySink } from '../transports/registry-sink.ts';
import type { CopyEvent } from './events.ts';
import { executePlan } from './execute.ts';
import { planCopy } from './plan.ts';
import { copy, images, planOf } from './testing/copy.ts';
import { bytesOf, type MadeImage, makeBlob, makeImage, makeIndex, push, readAll } from './testing/images.ts';
import { memoryRegistry, sinkInto } from './testing/memory-registry.ts';
import { watchedRegistry } from './testing/watched-registry.ts';

const shared = makeBlob('shared '.repeat(1000));
const one = makeImage({ layers: [shared, makeBlob('one')] });
const two = makeImage({ layers: [shared, makeBlob('two')] });
const arm = makeImage({ platform: 'linux/arm64', layers: [makeBlob('arm '.repeat(100))] });
const index = makeIndex([one, arm]);
const broken = new ImagesError('BROKEN_OFF', 'the other side hung up');

async function upstream(): Promise<Registry> {
  const registry = memoryRegistry();
  await push(registry, 'one:1', one);
  await push(registry, 'two:1', two);
  await push(registry, 'multi:1', index);
  return registry;
}

/** Checks that every part of the image can be read under this name. */
async function expectWhole(registry: Registry, name: string, image: MadeImage): Promise<void> {
  const [repository, tag] = name.split(':') as [string, string];
  expect((await registry.getManifest(repository, tag)).bytes).toEqual(image.manifest.bytes);
  for (const blob of image.blobs) {
    const { body } = await registry.getBlob(repository, blob.descriptor.digest);
    expect(digestOf(await readAll(body))).toBe(blob.descriptor.digest);
  }
}

/** A registry like docker-registry: it refuses an index whose children are not all there. */
function refusingSparse(registry: Registry): Registry {
  return {
    ...registry,
    async putManifest(repository, manifest, tags, options) {
      const fields = JSON.parse(Buffer.from(manifest.bytes).toString());
      for (const child of fields.manifests ?? []) {
        if (!(await registry.statManifest(repository, child.digest))) {
          throw new ImagesError('MANIFEST_BLOB_UNKNOWN', 'manifest unknown', { status: 400 });
        }
      }
      await registry.putManifest(repository, manifest, tags, options);
    },
  };
}

describe('executing a plan', () => {
  it('says of each blob that is not fetched why', async () => {
    const from = await upstream();
    const to = memoryRegistry();
    const spared = async (...names: readonly string[]) => {
      const events: CopyEvent[] = [];
      const onEvent = (event: CopyEvent) => void events.push(event);
      const plan = await planCopy(images(from, names), sinkInto(to), { platforms: 'all', onEvent });
      await executePlan(plan, sinkInto(to), { onEvent });
      return events.flatMap((event) => (event.type === 'not-fetched' ? [`${event.why} ${event.digest}`] : []));
    };
    const digests = ({ blobs }: MadeImage) => blobs.map(({ descriptor }) => descriptor.digest);
    const first = await spared('one:1', 'two:1');
    expect(first).toContain(`mounted ${shared.descriptor.digest}`);
    expect(first.filter((text) => text.startsWith('there '))).toEqual([]);
    expect(await spared('one:1')).toEqual(digests(one).map((digest) => `there ${digest}`));
  });

  it('copies images whole and fetches what they share once', async () => {
    const from = watchedRegistry(await upstream());
    const to = watchedRegistry(memoryRegistry());
    const { plan, result } = await copy(['one:1', 'two:1'], { from: from.registry, to: sinkInto(to.registry) });
    await expectWhole(to.registry, 'one:1', one);
    await expectWhole(to.registry, 'two:1', two);
    expect([...from.asked.blobs().values()]).toEqual([1, 1, 1, 1, 1]);
    expect(to.asked.count('mountBlob')).toBe(1);
    expect(result.fetched).toBe(plan.bytes);
    expect(result.requests).toBe(plan.requests);
    expect(from.asked.calls.length).toBe(plan.requests);
    expect(result.copied.map(({ image, digest }) => [image, digest])).toEqual([
      ['one:1', one.manifest.digest],
      ['two:1', two.manifest.digest],
    ]);
  });

  it('puts children before their index and the tag last', async () => {
    const to = watchedRegistry(memoryRegistry());
    await copy(['multi:1'], { from: await upstream(), to: sinkInto(to.registry), platforms: 'all' });
    const puts = to.asked.calls.filter((call) => call.startsWith('put'));
    const last = puts.slice(-3);
    expect(last.slice(0, 2).toSorted()).toEqual(
      [`putManifest multi@${one.manifest.digest} `, `putManifest multi@${arm.manifest.digest} `].toSorted(),
    );
    expect(last[2]).toBe(`putManifest multi@${index.manifest.digest} 1`);
  });

  it('keeps an index byte for byte, with the wanted platform alone below it', async () => {
    const to = memoryRegistry();
    await copy(['multi:1'], { from: await upstream(), to: sinkInto(to) });
    expect((await to.getManifest('multi', '1')).bytes).toEqual(index.manifest.bytes);
    expect(await to.statManifest('multi', one.manifest.digest)).toMatchObject(manifestDescriptor(one.manifest));
    expect(await to.statManifest('multi', arm.manifest.digest)).toBeUndefined();
  });

  it('tags the wanted platform alone where a sparse index is refused, and asks for the refusal once', async () => {
    const from = await upstream();
    await push(from, 'multi:2', makeIndex([arm, one]));
    const to = watchedRegistry(refusingSparse(memoryRegistry()));
    const { events, result } = await copy(['multi:1', 'multi:2'], {
      from,
      to: sinkInto(to.registry, 'complete'),
      concurrency: { overall: 1 },
    });
    expect((await to.registry.getManifest('multi', '1')).digest).toBe(one.manifest.digest);
    expect((await to.registry.getManifest('multi', '2')).digest).toBe(one.manifest.digest);
    expect(result.copied.map((image) => image.digest)).toEqual([one.manifest.digest, one.manifest.digest]);
    expect(events.filter((event) => event.type === 'note').length).toBe(2);
  });

  it('tags an index of the wanted platforms where several are wanted and a sparse one is refused', async () => {
    const from = memoryRegistry();
    const s390x = makeImage({ platform: 'linux/s390x', layers: [makeBlob('s390x')] });
    await push(from, 'multi:1', makeIndex([one, arm, s390x]));
    await push(from, 'nested:1', makeIndex([makeIndex([one, s390x]), arm]));
    const to = refusingSparse(memoryRegistry());
    for (const repository of ['multi', 'nested']) {
      const platforms = 'linux/amd64,linux/arm64';
      const { events, result } = await copy([`${repository}:1`], { from, to: sinkInto(to, 'complete'), platforms });
      const manifest = await to.getManifest(repository, '1');
      expect(result.copied[0]?.digest).toBe(manifest.digest);
      const children = new Set(JSON.parse(Buffer.from(manifest.bytes).toString()).manifests.map(digestOfChild));
      expect(children).toEqual(new Set([one.manifest.digest, arm.manifest.digest]));
      const notes = events.flatMap((event) => (event.type === 'note' ? [event.text] : []));
      expect(notes).toEqual([
        expect.stringMatching(/^\w+:1 is there for linux\/\w+, linux\/\w+: .* only complete indexes$/),
      ]);
    }
  });

  it('gives such a registry the whole index where all platforms are wanted, or the digest is', async () => {
    const name = `multi@${index.manifest.digest}`;
    const to = refusingSparse(memoryRegistry());
    await copy([name], { from: await upstream(), to: sinkInto(to, 'complete') });
    expect((await to.getManifest('multi', index.manifest.digest)).bytes).toEqual(index.manifest.bytes);
    const other = refusingSparse(memoryRegistry());
    await copy(['multi:1'], { from: await upstream(), to: sinkInto(other, 'complete'), platforms: 'all' });
    expect((await other.getManifest('multi', '1')).digest).toBe(index.manifest.digest);
  });

  it.each([
    ['an image below an index', one.manifest.digest, 'linux/amd64', index],
    ['an index below another, all of it wanted', index.manifest.digest, 'all', makeIndex([index])],
  ])('ends where such a registry refuses %s', async (_what, refused, platforms, image) => {
    const from = memoryRegistry();
    await push(from, 'app:1', image);
    const registry = memoryRegistry();
    const puts: string[] = [];
    const to: Registry = {
      ...registry,
      async putManifest(repository, manifest, tags, options) {
        puts.push(manifest.digest);
        if (manifest.digest === refused) throw new ImagesError('MANIFEST_INVALID', 'manifest invalid', { status: 400 });
        await registry.putManifest(repository, manifest, tags, options);
      },
    };
    const copied = copy(['app:1'], { from, to: sinkInto(to, 'complete'), platforms });
    await expect(copied).rejects.toMatchObject({
      code: 'MANIFEST_INVALID',
      message: expect.stringContaining(`manifest ${refused}`),
    });
    expect(puts.at(-1)).toBe(refused);
    expect(puts.filter((digest) => digest === refused)).toHaveLength(1);
  });

  it('moves no tag for a reference that has none', async () => {
    const to = memoryRegistry();
    await copy([`one@${one.manifest.digest}`], { from: await upstream(), to: sinkInto(to) });
    expect(await Array.fromAsync(to.tags('one'))).toEqual([]);
    expect(await to.statManifest('one', one.manifest.digest)).toBeDefined();
  });

  it('goes on where a broken download ended, and counts what came', async () => {
    const upstreamRegistry = await upstream();
    const breaking = watchedRegistry(upstreamRegistry, {
      breakOff: (digest) => (digest === shared.descriptor.digest ? { after: 4000, error: broken } : undefined),
    });
    const destination = memoryRegistry();
    const to = sinkInto(destination);
    await expect(copy(['one:1'], { from: breaking.registry, to })).rejects.toThrow(
      `one:1: source the source fails at blob ${shared.descriptor.digest}: the other side hung up`,
    );
    expect(await destination.statManifest('one', '1')).toBeUndefined();
    const again = watchedRegistry(upstreamRegistry);
    const { plan, result, events } = await copy(['one:1'], { from: again.registry, to });
    expect(events).toContainEqual({
      type: 'blob',
      digest: shared.descriptor.digest,
      size: shared.descriptor.size,
      from: 4000,
    });
    // The destination has the config. It is read to compare it with the manifest, which is missing there.
    expect(again.asked.bytes).toBe(plan.bytes + (one.blobs[0]?.descriptor.size ?? 0));
    expect(result.fetched).toBe(plan.bytes);
    await expectWhole(destination, 'one:1', one);
  });

  it('asks the source for nothing of a blob that is empty, or whose last byte had come before', async () => {
    const destination = memoryRegistry();
    const whole = async function* () {
      yield shared.bytes;
      throw broken;
    };
    await expect(destination.putBlob('x', shared.descriptor, async () => whole())).rejects.toThrow('hung up');
    const empty = makeBlob('');
    const image = makeImage({ layers: [shared, empty] });
    const source = memoryRegistry();
    await push(source, 'app:1', image);
    const from = watchedRegistry(source);
    const { plan, result } = await copy(['app:1'], { from: from.registry, to: sinkInto(destination) });
    expect([...from.asked.blobs().keys()]).toEqual([image.blobs[0]?.descriptor.digest]);
    expect(from.asked.calls.length).toBe(plan.requests);
    expect(result).toMatchObject({
      requests: plan.requests,
      fetched: plan.bytes,
      alreadyThere: shared.descriptor.size,
    });
    await expectWhole(destination, 'app:1', image);
  });

  it('starts a blob anew where the part that was there is wrong, and keeps the totals true', async () => {
    const destination = memoryRegistry();
    const wrong = async function* () {
      yield Buffer.from('not the same bytes');
      throw broken;
    };
    await expect(destination.putBlob('x', shared.descriptor, async () => wrong())).rejects.toThrow();
    const { result, events } = await copy(['one:1'], { from: await upstream(), to: sinkInto(destination) });
    await expectWhole(destination, 'one:1', one);
    expect(lastTotal(events)).toBe(result.fetched);
    expect(result.alreadyThere).toBe(0);
  });

  it('keeps the totals true where a mount is refused', async () => {
    const destination = { ...memoryRegistry(), mountBlob: async () => false };
    const { plan, result, events } = await copy(['one:1', 'two:1'], {
      from: await upstream(),
      to: sinkInto(destination, 'complete'),
    });
    await expectWhole(destination, 'two:1', two);
    expect(result.fetched).toBeGreaterThanOrEqual(plan.bytes);
    expect(lastTotal(events)).toBe(result.fetched);
  });

  it('ends at the first failure with no tag of a broken image', async () => {
    const from = watchedRegistry(await upstream(), {
      breakOff: (digest) => (digest === shared.descriptor.digest ? { after: 0, error: broken } : undefined),
    });
    const to = memoryRegistry();
    await expect(copy(['one:1', 'two:1'], { from: from.registry, to: sinkInto(to) })).rejects.toThrow('hung up');
    expect(from.asked.blobs().get(shared.descriptor.digest)).toBe(1);
    expect(await to.statManifest('one', '1')).toBeUndefined();
    expect(await to.statManifest('two', '1')).toBeUndefined();
  });

  it('copies the others where it keeps going, from their own sources what a failed one had begun', async () => {
    const good = await upstream();
    let failures = 0;
    const from = watchedRegistry(good, {
      breakOff: (digest) =>
        digest === shared.descriptor.digest && failures++ === 0 ? { after: 2000, error: broken } : undefined,
    });
    const to = memoryRegistry();
    const { result, events } = await copy(['one:1', 'two:1', 'none:1'], {
      from: from.registry,
      to: sinkInto(to),
      keepGoing: true,
    });
    expect(result.failed.map(({ image }) => image)).toEqual(['none:1', 'one:1']);
    expect(result.copied.map(({ image }) => image)).toEqual(['two:1']);
    expect(events.filter((event) => event.type === 'image-failed')).toEqual([
      expect.objectContaining({ image: 'one:1' }),
    ]);
    await expectWhole(to, 'two:1', two);
  });

  it('refuses bytes that are not those of the digest', async () => {
    const good = await upstream();
    const lying: Registry = {
      ...good,
      async getBlob(repository, digest, options) {
        const found = await good.getBlob(repository, digest, options);
        await found.body[Symbol.asyncIterator]().return?.();
        return { ...found, body: bytesOf(Buffer.alloc(found.descriptor.size, 'x')) };
      },
    };
    const to = memoryRegistry();
    await expect(copy(['one:1'], { from: lying, to: sinkInto(to) })).rejects.toMatchObject({
      code: 'DIGEST_INVALID',
      message: expect.stringContaining('source the source fails'),
    });
    expect(await to.statManifest('one', '1')).toBeUndefined();
  });

  it('reads a blob again that the source would send otherwise, where the destination takes it again', async () => {
    const good = await upstream();
    const asked: unknown[] = [];
    const guessing: Registry = {
      ...good,
      async getBlob(repository, digest, options) {
        if (digest !== shared.descriptor.digest) return good.getBlob(repository, digest, options);
        asked.push(options?.opensAnew);
        if (asked.length > 1) return good.getBlob(repository, digest, options);
        const wrong = new ImagesError('DIGEST_INVALID', 'not decoded');
        markOpenAnew(wrong);
        throw wrong;
      },
    };
    const to = memoryRegistry();
    await copy(['one:1'], { from: guessing, to: sinkInto(to) });
    expect(asked).toEqual([true, true]);
    await expectWhole(to, 'one:1', one);
    asked.length = 0;
    const sink = sinkInto(memoryRegistry());
    const once = copy(['one:1'], { from: guessing, to: { ...sink, wants: { ...sink.wants, takesAgain: false } } });
    await expect(once).rejects.toMatchObject({ code: 'DIGEST_INVALID' });
    expect(asked).toEqual([false]);
  });

  it('blames the destination for what failed there', async () => {
    const full: Registry = {
      ...memoryRegistry(),
      putBlob: async () => {
        throw new ImagesError('NO_SPACE', 'no space left', { hint: 'Make room.' });
      },
    };
    await expect(copy(['one:1'], { from: await upstream(), to: sinkInto(full) })).rejects.toMatchObject({
      code: 'NO_SPACE',
      hint: 'Make room.',
      message: expect.stringContaining('one:1: destination the destination fails at blob'),
    });
  });

  it('stops when the signal fires, and the next run fetches only the rest', async () => {
    const from = await upstream();
    const destination = memoryRegistry();
    const abort = new AbortController();
    const onEvent = (event: CopyEvent) => {
      if (event.type === 'progress' && event.digest === shared.descriptor.digest && event.bytes >= 3000) {
        abort.abort(new ImagesError('ABORTED', 'interrupted'));
      }
    };
    const aborted = watchedRegistry(from, {
      before: () => abort.signal.throwIfAborted(),
    });
    const slow: Registry = {
      ...aborted.registry,
      async getBlob(repository, digest, options) {
        const found = await aborted.registry.getBlob(repository, digest, options);
        const body = (async function* () {
          for await (const chunk of found.body) {
            options?.signal?.throwIfAborted();
            yield chunk;
          }
        })();
        return { ...found, body };
      },
    };
    const to = sinkInto(destination);
    await expect(copy(['one:1'], { from: slow, to, signal: abort.signal, onEvent })).rejects.toThrow('interrupted');
    const rest = await planOf(['one:1'], { from, to });
    expect(rest.alreadyThere).toBeGreaterThanOrEqual(3000);
    await executePlan(rest, to);
    await expectWhole(destination, 'one:1', one);
  });

  it('keeps its limits, per host and over all', async () => {
    const registry = memoryRegistry();
    const names = Array.from({ length: 12 }, (_, at) => `many/image-${at}:1`);
    for (const name of names) await push(registry, name, makeImage({ layers: [makeBlob(name.repeat(200))] }));
    const from = watchedRegistry(registry);
    await copy(names, {
      from: from.registry,
      to: sinkInto(memoryRegistry()),
      concurrency: { overall: 8, perHost: 3 },
    });
    expect(from.asked.most).toBe(3);
  });

  it('commits an image while blobs of others are still coming', async () => {
    const { promise: gate, resolve: release } = Promise.withResolvers<void>();
    const from = watchedRegistry(await upstream(), {
      before: (_, what) => (what === `two@${two.blobs[1]?.descriptor.digest}` ? gate : undefined),
    });
    const to = memoryRegistry();
    const done: string[] = [];
    const onEvent = (event: CopyEvent) => {
      if (event.type !== 'image-done') return;
      done.push(event.image);
      release();
    };
    await copy(['one:1', 'two:1'], { from: from.registry, to: sinkInto(to), onEvent });
    expect(done).toEqual(['one:1', 'two:1']);
  });

  it('tags the later of two images last where they share a name, and the destination records full ones', async () => {
    const { promise: gate, resolve: release } = Promise.withResolvers<void>();
    const a = memoryRegistry();
    const b = memoryRegistry();
    await push(a, 'calico/node:1', one);
    await push(b, 'calico/node:1', arm);
    const layer = one.blobs[1]?.descriptor.digest;
    const slow = watchedRegistry(a, { before: (_, what) => (what.endsWith(`@${layer}`) ? gate : undefined) });
    const destination = memoryRegistry();
    const recorded: string[] = [];
    const records = registrySink(destination, {
      label: 'the destination',
      repository: ({ path }) => path,
      indexes: 'sparse',
      onCommit: async ({ host }) => void recorded.push(host ?? ''),
    });
    const planned = await planCopy(
      [...images(slow.registry, ['docker.io/calico/node:1']), ...images(b, ['quay.io/calico/node:1'])],
      records,
      { platforms: 'all' },
    );
    const onEvent = (event: CopyEvent) => {
      if (event.type === 'blob-done') release();
    };
    await executePlan(planned, records, { onEvent });
    expect(recorded).toEqual(['docker.io', 'quay.io']);
    expect((await destination.getManifest('calico/node', '1')).digest).toBe(arm.manifest.digest);
  });

  it('puts referrers where clients look for them', async () => {
    const from = await upstream();
    const signature = makeImage({
      layers: [makeBlob('sig')],
      subject: one.manifest,
      artifactType: 'application/x.sig',
    });
    const cosign = makeImage({ layers: [makeBlob('cosign')] });
    await push(from, 'one', signature);
    const tag = `${two.manifest.digest.replace(':', '-')}.sig`;
    await push(from, `two:${tag}`, cosign);
    const to = memoryRegistry();
    await copy(['one:1', 'two:1'], { from, to: sinkInto(to), referrers: true });
    const found = await Array.fromAsync(to.referrers('one', one.manifest.digest));
    expect(found.map((descriptor) => descriptor.digest)).toEqual([signature.manifest.digest]);
    await expectWhole(to, `two:${tag}`, cosign);
  });
});

function digestOfChild({ digest }: { readonly digest: string }): string {
  return digest;
}

function lastTotal(events: readonly CopyEvent[]): number | undefined {
  return events.filter((event) => event.type === 'plan').at(-1)?.bytes;
}
