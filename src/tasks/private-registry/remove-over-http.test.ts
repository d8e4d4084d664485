import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type ErrorCode, ImagesError } from '../../oci/errors.ts';
import { manifestDescriptor } from '../../oci/manifest.ts';
import { parseReference } from '../../oci/reference.ts';
import { registryClients } from '../../registry/client/registry-clients.ts';
import type { Registry } from '../../registry/contract.ts';
import { emptyRegistry, image, index, putImage } from '../../server/testing/content.ts';
import { startServer } from '../../server/testing/start.ts';
import { openEmbeddedStore } from '../../storage/embedded-store.ts';
import { temporaryWorld } from '../testing/temporary-world.ts';
import { removeOverHttp } from './remove-over-http.ts';

const refuse = (code: ErrorCode) => () => Promise.reject(new ImagesError(code, `refused with ${code}`));

/** docker-registry: it deletes manifests, with all their tags, and no tag alone. */
function withoutTagDeletion(registry: Registry): Registry {
  return { ...registry, deleteTag: refuse('UNSUPPORTED') };
}

async function remove(registry: Registry, name: string, signal?: AbortSignal): Promise<boolean> {
  const reference = parseReference(name);
  return await removeOverHttp(registry, { reference, path: reference.path, settings: signal ? { signal } : {} });
}

const tagsOf = (registry: Registry) => Array.fromAsync(registry.tags('x/y'));

describe('removing an image over HTTP', () => {
  it('gives false if there is none: other paths may have it', async () => {
    const registry = emptyRegistry();
    await putImage(registry, 'x/y', '1');
    for (const name of ['x/y:2', 'x/y', 'x/z:1', `x/y@${image().manifest.digest}`]) {
      expect(await remove(registry, name), name).toBe(false);
    }
    expect(await tagsOf(registry)).toEqual(['1']);
  });

  it('removes the tag alone, `latest` if none is named', async () => {
    const registry = emptyRegistry();
    const content = await putImage(registry, 'x/y', 'latest');
    await putImage(registry, 'x/y', '1', content);
    expect(await remove(registry, 'x/y')).toBe(true);
    expect(await tagsOf(registry)).toEqual(['1']);
  });

  it('by digest removes the manifest with all its tags', async () => {
    const registry = emptyRegistry();
    const content = await putImage(registry, 'x/y', '1');
    await putImage(registry, 'x/y', '2', content);
    await putImage(registry, 'x/y', '3');
    expect(await remove(registry, `x/y@${content.manifest.digest}`)).toBe(true);
    expect(await tagsOf(registry)).toEqual(['3']);
  });

  it.each<ErrorCode>(['MANIFEST_UNKNOWN', 'NAME_UNKNOWN'])(
    'gives false if it is found by another path only: %s',
    async (code) => {
      const registry = { ...emptyRegistry(), deleteTag: refuse(code) };
      await putImage(registry, 'x/y', '1');
      expect(await remove(registry, 'x/y:1')).toBe(false);
    },
  );

  it('fails as the registry says', async () => {
    const registry = { ...emptyRegistry(), deleteTag: refuse('DENIED') };
    await putImage(registry, 'x/y', '1');
    await expect(remove(registry, 'x/y:1')).rejects.toMatchObject({ code: 'DENIED' });
  });

  it('also removes from an embedded registry what nothing else needs: the child of an index', async () => {
    await using world = await temporaryWorld();
    const store = await openEmbeddedStore(join(world.path, 'store'));
    const { manifest: child } = await putImage(store.registry, 'x/y', 'child');
    await store.registry.putManifest('x/y', index([manifestDescriptor(child)]), ['all']);
    await store.registry.deleteTag('x/y', 'child');
    await using server = await startServer(store.registry);
    await using clients = registryClients({ temporaryDirectory: world.path, privateHosts: [server.host] });
    expect(await remove(clients.forHost(server.host), 'x/y:all')).toBe(true);
    expect(await store.registry.statManifest('x/y', child.digest)).toBeUndefined();
  });
});

describe('if a registry cannot remove a tag alone', () => {
  it('the manifest is removed, if nothing else needs it', async () => {
    const registry = withoutTagDeletion(emptyRegistry());
    const content = await putImage(registry, 'x/y', '1');
    const { manifest: other } = await putImage(registry, 'x/y', '2');
    await registry.putManifest('x/y', index([manifestDescriptor(other)]), ['all']);
    expect(await remove(registry, 'x/y:1')).toBe(true);
    expect(await registry.statManifest('x/y', content.manifest.digest)).toBeUndefined();
    expect(await tagsOf(registry)).toEqual(['2', 'all']);
  });

  it('nothing is removed that has another tag: the error says how to remove both', async () => {
    const registry = withoutTagDeletion(emptyRegistry());
    const content = await putImage(registry, 'x/y', 'latest');
    await putImage(registry, 'x/y', '2', content);
    await expect(remove(registry, 'x/y')).rejects.toMatchObject({
      code: 'UNSUPPORTED',
      message: 'the registry cannot remove this tag alone [x/y]',
      hint: `x/y:2 is the same image. To remove both: images lreg_rm x/y@${content.manifest.digest}`,
    });
    expect(await tagsOf(registry)).toEqual(['2', 'latest']);
  });

  it('nothing is removed that an index lists: the error names it', async () => {
    const registry = withoutTagDeletion(emptyRegistry());
    const { manifest } = await putImage(registry, 'x/y', '1');
    await registry.putManifest('x/y', index([manifestDescriptor(manifest)]), ['all']);
    await expect(remove(registry, 'x/y:1')).rejects.toMatchObject({
      code: 'UNSUPPORTED',
      hint: 'x/y:all is an index that lists this image: it would lose it.',
    });
    expect(await tagsOf(registry)).toEqual(['1', 'all']);
  });

  it('every request can be aborted', async () => {
    const inner = emptyRegistry();
    const { manifest } = await putImage(inner, 'x/y', '1');
    await putImage(inner, 'x/y', '2');
    await inner.putManifest('x/y', index([]), ['all']);
    const { signal } = new AbortController();
    const asked: string[] = [];
    const withSignal = (what: string, call: { readonly signal?: AbortSignal } | undefined) => {
      asked.push(what);
      expect(call?.signal, what).toBe(signal);
    };
    const registry: Registry = {
      ...inner,
      statManifest: (path, reference, call) => {
        withSignal(`HEAD ${reference}`, call);
        return inner.statManifest(path, reference, call);
      },
      getManifest: (path, reference, call) => {
        withSignal('GET', call);
        return inner.getManifest(path, reference, call);
      },
      tags: (path, after, call) => {
        withSignal('GET tags', call);
        return inner.tags(path, after, call);
      },
      deleteTag: (_path, _tag, call) => {
        withSignal('DELETE tag', call);
        return refuse('UNSUPPORTED')();
      },
      deleteManifest: (path, digest, call) => {
        withSignal('DELETE manifest', call);
        return inner.deleteManifest(path, digest, call);
      },
    };
    expect(await remove(registry, 'x/y:1', signal)).toBe(true);
    expect(asked.sort()).toEqual(['DELETE manifest', 'DELETE tag', 'GET', 'GET tags', 'HEAD 1', 'HEAD 2', 'HEAD all']);
    expect(await inner.statManifest('x/y', manifest.digest)).toBeUndefined();
  });

  it('the tags are looked up with limited parallelism', async () => {
    const inner = emptyRegistry();
    for (const tag of Array.from({ length: 20 }, (_, at) => `${at}`)) await putImage(inner, 'x/y', tag);
    let now = 0;
    let most = 0;
    const registry: Registry = {
      ...withoutTagDeletion(inner),
      statManifest: async (...asked) => {
        most = Math.max(most, ++now);
        await new Promise(setImmediate);
        now--;
        return await inner.statManifest(...asked);
      },
    };
    expect(await remove(registry, 'x/y:7')).toBe(true);
    expect(most).toBeGreaterThan(1);
    expect(most).toBeLessThanOrEqual(8);
  });
});

it.each(['x/y:1', 'x/y@'])('a registry that deletes nothing is reported, with how to enable it: %s', async (name) => {
  const registry = { ...emptyRegistry(), deleteTag: refuse('UNSUPPORTED'), deleteManifest: refuse('UNSUPPORTED') };
  const { manifest } = await putImage(registry, 'x/y', '1');
  const named = name.replace(/@$/, `@${manifest.digest}`);
  await expect(remove(registry, named)).rejects.toMatchObject({
    code: 'UNSUPPORTED',
    message: `the registry does not delete [${named}]`,
    hint: expect.stringContaining('REGISTRY_STORAGE_DELETE_ENABLED=true'),
  });
});

it('a registry that removes no tag alone and fails otherwise says so itself', async () => {
  const registry = { ...emptyRegistry(), deleteTag: refuse('UNSUPPORTED'), deleteManifest: refuse('DENIED') };
  await putImage(registry, 'x/y', '1');
  await expect(remove(registry, 'x/y:1')).rejects.toMatchObject({ code: 'DENIED' });
});
