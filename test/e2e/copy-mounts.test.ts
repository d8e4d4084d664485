import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildImage, randomLayer } from '../fixtures/image.ts';
import { writeDir, writeLayout } from '../fixtures/layout.ts';
import { compressedLayer } from '../fixtures/odd-layers.ts';
import { randomBytes } from '../fixtures/random.ts';
import { tar } from '../fixtures/tar.ts';
import { startDockerRegistry } from '../peers/docker-registry.ts';
import { needs } from '../peers/find.ts';
import { must } from '../peers/process.ts';
import { newWorld, type World } from '../peers/program.ts';

const peers = needs('docker-registry', 'skopeo');

describe.skipIf(peers.missing)(`images copy, into a registry that has blobs in another repository${peers.why}`, () => {
  let world: World;
  beforeAll(async () => {
    world = await newWorld();
  });
  afterAll(() => world[Symbol.asyncDispose]());

  it('mounts what another repository of the registry has: the image itself, or what an earlier run put there', async () => {
    await using registry = await startDockerRegistry();
    const layers = ['one', 'two', 'three'].map((name) => randomLayer(`mount ${name}`, 100_000));
    const [base, app, other] = [layers.slice(0, 1), layers.slice(0, 2), [...layers.slice(0, 1), ...layers.slice(2)]];
    const location = join(world.path, 'mounts');
    const images = {
      base: buildImage({ layers: base }),
      app: buildImage({ layers: app }),
      other: buildImage({ layers: other }),
    };
    await writeLayout(location, images);
    /** Copies, and checks that the dry run predicted the same. Returns the fetched bytes. */
    const copied = async (from: string, to: string) => {
      const copy = ['copy', '--json', from, `docker://${registry.host}/${to}`];
      const planned = JSON.parse(await world.must([...copy, '--dry-run'])).bytes.toFetch;
      const { fetched } = JSON.parse(await world.must(copy)).bytes;
      expect(fetched).toBe(planned);
      return fetched;
    };
    await copied(`oci:${location}:base`, 'mounts/base:1');
    expect(await copied(`docker://${registry.host}/mounts/base:1`, 'elsewhere/base:1')).toBeLessThan(10_000);
    expect(await copied(`oci:${location}:app`, 'mounts/app:1')).toBeLessThan(110_000);
    // Mounted from a repository to which another program has pushed.
    await must('skopeo', [
      'copy',
      '-q',
      '--dest-tls-verify=false',
      `oci:${location}:other`,
      `docker://${registry.host}/theirs:1`,
    ]);
    expect(await copied(`docker://${registry.host}/theirs:1`, 'mounts/other:1')).toBeLessThan(10_000);
    for (const [name, image] of Object.entries(images)) {
      expect(
        JSON.parse(await world.must(['inspect', '--json', `docker://${registry.host}/mounts/${name}:1`])).digest,
      ).toBe(image.manifest.digest);
      expect(await world.must(['check', `docker://${registry.host}/mounts/${name}:1`])).not.toContain('WRONG');
    }
  });

  it('mounts in the private registry too', async () => {
    await using registry = await startDockerRegistry();
    const layout = await writeLayout(join(world.path, 'private'), {
      app: buildImage({ layers: [randomLayer('private', 500_000)] }),
    });
    const fetched = async (to: string) => {
      const text = await world.must(['copy', '--json', `oci:${layout}:app`, to], {
        env: { LOCAL_REGISTRY: registry.host },
      });
      return JSON.parse(text).bytes.fetched;
    };
    expect(await fetched('first/app:1')).toBeGreaterThan(500_000);
    expect(await fetched('second/app:1')).toBeLessThan(10_000);
    expect(await world.must(['check', `docker://${registry.host}/second/app:1`])).not.toContain('WRONG');
  });

  it.each(['planned', 'sent ahead'])(
    'pushes a blob that the registry should mount and no longer has: %s',
    async (way) => {
      await using registry = await startDockerRegistry({ remembers: true });
      // The small layer is sent while the large one is compressed.
      const layers = [3_000_000, 100_000].map((size) =>
        compressedLayer(tar([{ name: way, data: randomBytes(way, size) }]), 'none'),
      );
      const sources: string[] = [];
      // The registry caches manifests too, and ignores a second push of the same one, so there are two images.
      for (const cmd of ['first', 'second']) {
        const image = buildImage({ ownTypes: true, layers, cmd: [cmd] });
        sources.push(`dir:${await writeDir(join(world.path, `${way} ${cmd}`), image)}`);
      }
      const [from = '', fromSecond = ''] = sources;
      const [first, second] = [`docker://${registry.host}/first/app:1`, `docker://${registry.host}/second/app:1`];
      await world.must(['copy', from, first]);
      const { digest } = JSON.parse(await world.must(['inspect', '--json', first]));
      await fetch(`${registry.base}/v2/first/app/manifests/${digest}`, { method: 'DELETE' });
      await registry.collectGarbage();
      // If the digests of the compressed layers are not remembered, the layers are compressed and sent before the plan is made.
      const memory = join(world.path, 'cache/images/layers');
      if (way === 'sent ahead') await rm(memory, { recursive: true });
      const { stderr, stdout } = await world.images(['copy', '--json', fromSecond, second]);
      expect(JSON.parse(stdout).bytes.fetched).toBeGreaterThan(3_100_000);
      expect(stderr).not.toContain('Again');
      expect(await world.must(['check', second])).not.toContain('WRONG');
    },
  );
});
