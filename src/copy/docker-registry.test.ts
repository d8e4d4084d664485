// The copy engine over HTTP between two docker-registry processes (Debian's), and what skopeo then finds in the second.
import { tmpdir } from 'node:os';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type RegistryPeer, startDockerRegistry } from '../../test/peers/docker-registry.ts';
import { needs } from '../../test/peers/find.ts';
import { run } from '../../test/peers/process.ts';
import { temporaryDirectory } from '../../test/peers/temporary.ts';
import { type RegistryClients, registryClients } from '../registry/client/registry-clients.ts';
import type { Registry } from '../registry/contract.ts';
import { openEmbeddedStore } from '../storage/embedded-store.ts';
import { copy } from './testing/copy.ts';
import { makeBlob, makeImage, makeIndex, push } from './testing/images.ts';
import { sinkInto } from './testing/memory-registry.ts';
import { watchedRegistry } from './testing/watched-registry.ts';

const peer = needs('docker-registry');
const skopeo = needs('docker-registry', 'skopeo');

// skopeo copies layers to `dir:` without unpacking them, so they need not be archives.
const shared = makeBlob('shared '.repeat(30_000));
const one = makeImage({ layers: [shared, makeBlob('one')] });
const two = makeImage({ layers: [shared, makeBlob('two')] });
const arm = makeImage({ platform: 'linux/arm64', layers: [makeBlob('arm')] });
const index = makeIndex([one, arm]);

describe.skipIf(peer.missing)(`copying with Debian's docker-registry${peer.why}`, () => {
  let upstream: RegistryPeer;
  let clients: RegistryClients;
  let from: Registry;

  beforeAll(async () => {
    upstream = await startDockerRegistry();
    clients = registryClients({ temporaryDirectory: tmpdir() });
    from = clients.forHost(upstream.host);
    await push(from, 'one:1', one);
    await push(from, 'two:1', two);
    await push(from, 'multi:1', index);
  });

  afterAll(async () => {
    await clients[Symbol.asyncDispose]();
    await upstream[Symbol.asyncDispose]();
  });

  describe('as the destination', () => {
    let server: RegistryPeer;
    let destination: Registry;

    beforeEach(async () => {
      server = await startDockerRegistry();
      destination = clients.forHost(server.host);
      return () => server[Symbol.asyncDispose]();
    });

    it('mounts a shared layer across repositories, and fetches what was planned', async () => {
      const to = watchedRegistry(destination);
      const source = watchedRegistry(from);
      const { plan, result } = await copy(['one:1', 'two:1'], {
        from: source.registry,
        to: sinkInto(to.registry, 'complete'),
      });
      expect(source.asked.bytes).toBe(plan.bytes);
      expect(result.fetched).toBe(plan.bytes);
      expect(source.asked.blobs().get(shared.descriptor.digest)).toBe(1);
      expect(to.asked.calls.filter((call) => call.startsWith('mountBlob'))).toEqual([
        `mountBlob two@${shared.descriptor.digest} from one`,
      ]);
      expect((await destination.getManifest('two', '1')).bytes).toEqual(two.manifest.bytes);
    });

    it('tags the wanted platform alone, since it refuses a sparse index', async () => {
      const { events } = await copy(['multi:1'], { from, to: sinkInto(destination, 'complete') });
      expect((await destination.getManifest('multi', '1')).digest).toBe(one.manifest.digest);
      expect(events).toContainEqual(expect.objectContaining({ type: 'note' }));
    });

    it('tags an index of the wanted platforms where there are several, and more that are not wanted', async () => {
      const s390x = makeImage({ platform: 'linux/s390x', layers: [makeBlob('s390x')] });
      await push(from, 'three:1', makeIndex([one, s390x, arm]));
      const platforms = 'linux/amd64,linux/arm64';
      await copy(['three:1'], { from, to: sinkInto(destination, 'complete'), platforms });
      const made = JSON.parse(Buffer.from((await destination.getManifest('three', '1')).bytes).toString());
      expect(made.manifests).toMatchObject([{ digest: one.manifest.digest }, { digest: arm.manifest.digest }]);
      await expect(destination.getManifest('three', s390x.manifest.digest)).rejects.toThrow();
    });

    it('takes the whole index, byte for byte, for all platforms and for the digest of the index', async () => {
      await copy(['multi:1'], { from, to: sinkInto(destination, 'complete'), platforms: 'all' });
      expect((await destination.getManifest('multi', '1')).bytes).toEqual(index.manifest.bytes);
      const digest = index.manifest.digest;
      await copy([`multi@${digest}`], { from, to: sinkInto(destination, 'complete') });
      expect((await destination.getManifest('multi', digest)).bytes).toEqual(index.manifest.bytes);
    });

    it.skipIf(skopeo.missing)(`holds what skopeo can pull${skopeo.why}`, async () => {
      await copy(['one:1', 'multi:1'], { from, to: sinkInto(destination, 'complete') });
      await using directory = await temporaryDirectory('skopeo');
      for (const name of ['one:1', 'multi:1']) {
        const target = `dir:${directory.path}/${name.replace(':', '-')}`;
        const args = ['copy', '--insecure-policy', '--src-tls-verify=false', `docker://${server.host}/${name}`, target];
        const { status, stderr } = await run('skopeo', args);
        expect(stderr).toBe('');
        expect(status).toBe(0);
      }
    });
  });

  it('is read into a store on disk, and from there on a second run finds all there', async () => {
    await using directory = await temporaryDirectory('store');
    const { stripped } = await openEmbeddedStore(directory.path);
    const names = ['one:1', 'two:1', 'multi:1'];
    const first = await copy(names, { from, to: sinkInto(stripped) });
    expect(first.result.fetched).toBe(first.plan.bytes);
    expect((await stripped.getManifest('multi', '1')).bytes).toEqual(index.manifest.bytes);
    const source = watchedRegistry(from);
    const again = await copy(names, { from: source.registry, to: sinkInto(stripped) });
    expect(again.plan.bytes).toBe(0);
    expect(source.asked.count('getBlob')).toBe(0);
  });
});
