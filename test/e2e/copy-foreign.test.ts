import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildImage, type FixtureLayer, layerOf } from '../fixtures/image.ts';
import { writeLayout } from '../fixtures/layout.ts';
import { startDockerRegistry } from '../peers/docker-registry.ts';
import { needs } from '../peers/find.ts';
import { newWorld, type World } from '../peers/program.ts';

const URL = 'https://example.com/published';
const foreign = (name: string): FixtureLayer => ({
  ...layerOf([{ name, data: name }]),
  mediaType: 'application/vnd.oci.image.layer.nondistributable.v1.tar+gzip',
});
const PUBLISHED = { ...foreign('published'), urls: [URL] };
const NOWHERE = foreign('nowhere');
const peer = needs('docker-registry');

describe('images copy, of foreign layers', () => {
  let world: World;
  let layout: string;
  beforeAll(async () => {
    world = await newWorld();
    layout = await writeLayout(join(world.path, 'layout'), {
      published: buildImage({ ownTypes: true, layers: [PUBLISHED, layerOf([{ name: 'own', data: 'own' }])] }),
      nowhere: buildImage({ ownTypes: true, layers: [NOWHERE] }),
    });
  });
  afterAll(() => world[Symbol.asyncDispose]());

  it('does not copy one that is published, and says so if its files are needed', async () => {
    await world.must(['copy', `oci:${layout}:published`, `oci:${world.path}/without:1`]);
    expect(await readdir(join(world.path, 'without/blobs/sha256'))).not.toContain(PUBLISHED.digest.slice(7));
    const { status, stderr } = await world.images(['ls', `oci:${world.path}/without:1`]);
    expect({ status, stderr }).toEqual({
      status: 1,
      stderr: `ERROR: a foreign layer is not here [${PUBLISHED.digest}]\nIt has to be fetched from where it is published: ${URL}.\n`,
    });
    expect(await world.must(['check', `oci:${world.path}/without:1`])).toMatch(/note: it has no blob/);
  });

  it('copies one that is published nowhere', async () => {
    for (const to of [`oci:${world.path}/with:1`, 'foreign/nowhere:1', `docker-archive:${world.path}/nowhere.tar`]) {
      await world.must(['copy', `oci:${layout}:nowhere`, to]);
      expect(await world.must(['docker_ls', to])).toBe('nowhere\n');
      expect(await world.must(['check', to])).not.toMatch(/WRONG|note: it has no blob/);
    }
  });

  it.skipIf(peer.missing)(`says what a registry must allow that refuses their URLs${peer.why}`, async () => {
    await using registry = await startDockerRegistry();
    const { status, stderr } = await world.images([
      'copy',
      `oci:${layout}:published`,
      `docker://${registry.host}/foreign/published:1`,
    ]);
    expect(status).toBe(1);
    expect(stderr).toContain('the registry must allow the URLs where they are published');
  });
});
