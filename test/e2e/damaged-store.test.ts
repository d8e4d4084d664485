// A disk that has changed bytes of the store: every command notices it, and a command that brings the correct bytes repairs it.
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { blobKey } from '../../src/storage/layout/registry-keys.ts';
import { buildImage, type FixtureBlob, pushImage, randomLayer } from '../fixtures/image.ts';
import { newWorld, type World } from '../peers/program.ts';
import { startUpstream } from '../peers/upstream.ts';

const layer = randomLayer('damaged', 300_000);
const image = buildImage({ layers: [layer], architecture: 'amd64' });
const config = image.blobs.find((one) => one.digest !== layer.digest) as FixtureBlob;

/** A world with the image in its store, and the upstream registry. */
async function setting() {
  const upstream = await startUpstream();
  upstream.addImage('library/app:1', image);
  const world = await newWorld();
  const name = `${upstream.host}/library/app:1`;
  const cache = () => world.must(['lreg_cache', '--platform=linux/amd64', name]);
  await cache();
  return {
    world,
    name,
    cache,
    [Symbol.asyncDispose]: async () => {
      await world[Symbol.asyncDispose]();
      await upstream[Symbol.asyncDispose]();
    },
  };
}

/** Inverts one bit in the middle. */
async function damage(world: World, { digest }: FixtureBlob): Promise<void> {
  const file = join(world.data, blobKey(digest as `sha256:${string}`));
  const bytes = await readFile(file);
  const at = Math.floor(bytes.length / 2);
  bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at);
  await writeFile(file, bytes);
}

describe('a damaged config', () => {
  it('is not printed by lreg_inspect; caching the image again repairs it', async () => {
    await using here = await setting();
    await damage(here.world, config);
    const refused = await here.world.images(['lreg_inspect', here.name]);
    expect([refused.status, refused.stdout]).toEqual([1, '']);
    expect(refused.stderr).toMatch(/^ERROR: digest is sha256:/m);
    await here.cache();
    expect(JSON.parse(await here.world.must(['lreg_inspect', here.name])).Architecture).toBe('amd64');
  });
});

describe('a damaged layer', () => {
  it.each(['check', 'copy'])('that %s meets is repaired when the image is cached again', async (command) => {
    await using here = await setting();
    await damage(here.world, layer);
    const target = command === 'copy' ? [`oci:${join(here.world.path, 'layout')}`] : [];
    expect((await here.world.images([command, here.name, ...target])).status).toBe(1);
    expect((await here.world.images(['lreg_isloaded', here.name])).status).toBe(1);
    await here.cache();
    expect((await here.world.images(['lreg_isloaded', here.name])).status).toBe(0);
    await here.world.must([command, here.name, ...target]);
  });

  it('is repaired by any push of it', async () => {
    await using here = await setting();
    await damage(here.world, layer);
    const registry = await here.world.startRegistry();
    const begun = await fetch(`${registry.base}/v2/library/app/blobs/uploads/`, { method: 'POST' });
    const put = new URL(begun.headers.get('location') ?? '', registry.base);
    put.searchParams.set('digest', layer.digest);
    const body = Buffer.from(layer.bytes);
    expect((await fetch(put, { method: 'PUT', body })).status).toBe(201);
    const got = await fetch(`${registry.base}/v2/library/app/blobs/${layer.digest}`);
    expect(Buffer.from(await got.arrayBuffer()).equals(body)).toBe(true);
    await pushImage(registry.base, 'other/app:1', image);
    await here.world.must(['check', `docker://${registry.host}/other/app:1`]);
  });
});
