import { describe, expect, it } from 'vitest';
import { makeBlob, makeImage, push } from '../../copy/testing/images.ts';
import { memoryRegistry, sinkInto } from '../../copy/testing/memory-registry.ts';
import { isImagesError } from '../../oci/errors.ts';
import { fullReference, parseReference } from '../../oci/reference.ts';
import type { Registry } from '../../registry/contract.ts';
import { registrySource } from '../../transports/registry-source.ts';
import type { Transport } from '../../transports/transport.ts';
import { makeItems } from '../make/make-items.ts';
import { temporaryWorld } from '../testing/temporary-world.ts';
import { copyImage } from './copy-image.ts';
import { openSource } from './open-source.ts';

function registryTransport(name: string, registry: Registry): Transport {
  return {
    name,
    openSource: async (details) => {
      const reference = fullReference(parseReference(details));
      return { source: registrySource(registry, reference), name: reference };
    },
    openSink: async (details) => ({ sink: sinkInto(registry), name: parseReference(details) }),
  };
}

describe('a transport of one’s own', () => {
  it('works like a built-in one: as a source, a sink, an item of make', async () => {
    await using world = await temporaryWorld();
    const [from, to] = [memoryRegistry(), memoryRegistry()];
    const image = makeImage({ layers: [makeBlob('layer')] });
    await push(from, 'library/one:1', image);
    const transports = [registryTransport('here', from), registryTransport('there', to)];
    const settings = world.settings({}, { transports });
    const { copied, failed } = await copyImage({ from: 'here:one:1', to: 'there:two:2' }, settings);
    expect({ copied: copied.length, failed }).toEqual({ copied: 1, failed: [] });
    expect((await to.getManifest('two', '2')).digest).toBe(image.manifest.digest);
    // To a built-in transport, and from it.
    await copyImage({ from: 'here:one:1', to: `oci:${world.path}/layout:1` }, settings);
    await copyImage({ from: `oci:${world.path}/layout:1`, to: 'there:three:3' }, settings);
    expect((await to.getManifest('three', '3')).digest).toBe(image.manifest.digest);
    const items = await makeItems({ items: ['here:one:1'], imagesOf: [] }, settings, {});
    expect(items.map(({ text }) => text)).toEqual(['here:one:1']);
  });

  it.each(['open', 'root', 'blob'])('that hangs and ignores the signal is not waited for: %s', async (where) => {
    await using world = await temporaryWorld();
    const registry = memoryRegistry();
    await push(registry, 'library/one:1', makeImage({ layers: [makeBlob('layer')] }));
    const ended = new AbortController();
    const never = () => {
      setImmediate(() => ended.abort(new Error('ended by the caller')));
      return new Promise<never>(() => {});
    };
    const hanging: Transport = {
      name: 'here',
      openSource: async (details) => {
        if (where === 'open') await never();
        const source = registrySource(registry, fullReference(parseReference(details)));
        if (where === 'root') return { source: { ...source, root: never } };
        return {
          source: {
            ...source,
            blob: async () =>
              (async function* () {
                yield Buffer.from('lay');
                await never();
              })(),
          },
        };
      },
    };
    const settings = world.settings({}, { transports: [hanging], signal: ended.signal });
    const copying = copyImage({ from: 'here:one:1', to: `oci:${world.path}/layout:1` }, settings);
    await expect(copying).rejects.toThrow('ended by the caller');
  });

  it('that hangs as a sink is not waited for either', async () => {
    await using world = await temporaryWorld();
    const registry = memoryRegistry();
    await push(registry, 'library/one:1', makeImage({ layers: [makeBlob('layer')] }));
    const ended = new AbortController();
    const there: Transport = {
      name: 'there',
      openSink: async (details) => {
        const putBlob = () => {
          setImmediate(() => ended.abort(new Error('ended by the caller')));
          return new Promise<never>(() => {});
        };
        return { sink: { ...sinkInto(memoryRegistry()), putBlob }, name: parseReference(details) };
      },
    };
    const transports = [registryTransport('here', registry), there];
    const settings = world.settings({}, { transports, signal: ended.signal });
    await expect(copyImage({ from: 'here:one:1', to: 'there:two:2' }, settings)).rejects.toThrow('ended by the caller');
  });

  it('wins over an image of that name, and only where it is given', async () => {
    await using world = await temporaryWorld();
    const transports: readonly Transport[] = [{ name: 'alpine' }];
    const code = async (settings: Parameters<typeof openSource>[1]) =>
      await openSource('alpine:3', settings).catch((error) => (isImagesError(error) ? error.code : error));
    expect(await code(world.settings({}, { transports }))).toBe('UNSUPPORTED');
    expect(await code(world.settings())).toBe('MANIFEST_UNKNOWN');
    const copying = copyImage({ from: 'docker://x/y:1', to: 'alpine:3' }, world.settings({}, { transports }));
    await expect(copying).rejects.toThrow('no image can be put there');
  });
});
