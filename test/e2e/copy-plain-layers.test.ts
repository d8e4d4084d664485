import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { digestOf } from '../../src/oci/digest.ts';
import { buildImage } from '../fixtures/image.ts';
import { writeDir } from '../fixtures/layout.ts';
import { compressedLayer } from '../fixtures/odd-layers.ts';
import { randomBytes } from '../fixtures/random.ts';
import { tar } from '../fixtures/tar.ts';
import { startDockerRegistry } from '../peers/docker-registry.ts';
import { needs } from '../peers/find.ts';
import { newWorld, type World } from '../peers/program.ts';

/** Uncompressed layers, like those of `docker save` and `skopeo copy --dest-decompress`. */
const plainLayer = (name: string, size: number) =>
  compressedLayer(tar([{ name, data: randomBytes(`plain ${name}`, size) }]), 'none');
const IMAGE = buildImage({
  ownTypes: true,
  layers: [plainLayer('a', 3_000_000), plainLayer('b', 100_000), plainLayer('c', 1000)],
});

describe('images copy, of layers that are compressed on the way', () => {
  let world: World;
  let location: string;
  beforeAll(async () => {
    world = await newWorld();
    location = `dir:${await writeDir(join(world.path, 'plain'), IMAGE)}`;
  });
  afterAll(() => world[Symbol.asyncDispose]());

  const copy = async (to: string, ...options: readonly string[]) =>
    JSON.parse(await world.must(['copy', '--json', ...options, location, to]));

  it('reports plan and result, whether layers are sent ahead of the plan, are remembered, or are there', async () => {
    const planned = await copy('plain/app:1', '--dry-run');
    expect(planned.bytes.toFetch).toBeGreaterThan(3_100_000);
    const { toFetch } = planned.bytes;
    // The dry run has remembered the digests of the compressed layers.
    const remembered = await copy('plain/app:1');
    expect(remembered).toMatchObject({ bytes: { fetched: toFetch, alreadyThere: 0 }, requests: planned.requests });
    expect((await copy('plain/app:1')).bytes).toEqual({ fetched: 0, alreadyThere: toFetch });
    const other = await copy('plain/other:1', '--compression=gzip:3');
    // Both images have the same config.
    expect(other.bytes.alreadyThere).toBe(IMAGE.blobs[0]?.bytes.length);
    // The config is still read, to compare it with the new manifest.
    expect(other.requests).toBe(planned.requests);
    expect(await world.must(['check', 'plain/other:1'])).not.toContain('WRONG');
  });

  it('makes the same archive every time, however long each layer takes', async () => {
    const archives: string[] = [];
    for (const name of ['new', 'remembered', 'again']) {
      const file = join(world.path, `${name}.tar`);
      await copy(`oci-archive:${file}:x`, '--compression=gzip:5');
      archives.push(digestOf(await readFile(file)));
    }
    expect(new Set(archives).size).toBe(1);
  });

  it.skipIf(needs('docker-registry').missing)(
    `sends each layer once, also to a registry that lacks what is remembered${needs('docker-registry').why}`,
    async () => {
      const sums: unknown[] = [];
      for (const _ of ['new', 'remembered']) {
        await using registry = await startDockerRegistry();
        const { bytes, requests } = await copy(`docker://${registry.host}/plain/app:1`, '--compression=gzip:7');
        sums.push({ bytes, requests });
        expect(await world.must(['check', `docker://${registry.host}/plain/app:1`])).not.toContain('WRONG');
      }
      expect(sums[0]).toMatchObject({ bytes: { alreadyThere: 0 } });
      expect(sums[1]).toEqual(sums[0]);
    },
  );
});
