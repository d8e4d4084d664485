// Bases from registries are requested once, so that builds can be repeated quickly and offline. --pull requests them again.
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { buildImage, type FixtureImage, type FixtureLayer, layerOf } from '../fixtures/image.ts';
import { newWorld, type World } from '../peers/program.ts';
import { startUpstream, type Upstream } from '../peers/upstream.ts';

let world: World;
let upstream: Upstream;
let directory: string;
beforeEach(async () => {
  world = await newWorld();
  upstream = await startUpstream();
  await world.mirror({ 'quay.io': upstream.host });
  directory = join(world.path, 'image');
  await mkdir(directory);
  await writeFile(join(directory, 'tar'), `#! /bin/sh\ncd ${directory}; exec tar -cf - Dockerfile\n`, { mode: 0o755 });
  await writeFile(join(directory, 'Dockerfile'), 'FROM quay.io/a/base:1\nADD ovl.tar /\n');
});
afterEach(async () => {
  await upstream[Symbol.asyncDispose]();
  await world[Symbol.asyncDispose]();
});

const layerWith = (content: string): FixtureLayer => layerOf([{ name: content, data: content }]);
const base = (content: string): FixtureImage => buildImage({ layers: [layerWith(content)] });

/** The digest of the image, and its layers' diffIDs. */
async function build(...options: readonly string[]): Promise<{ digest: string; diffIds: readonly string[] }> {
  const { digest, layers } = JSON.parse(
    await world.must(['mkimage', '--tag=x/app:1', '--json', ...options, directory]),
  ) as { readonly digest: string; readonly layers: readonly { readonly diffId: string }[] };
  return { digest, diffIds: layers.map(({ diffId }) => diffId) };
}

describe('a base from a registry', () => {
  it('is asked for once: the next build is made without the registry', async () => {
    upstream.addImage('a/base:1', base('one'));
    const first = await build();
    const asked = upstream.requests.length;
    expect(asked).toBeGreaterThan(0);
    expect(await build()).toEqual(first);
    expect(await build('--no-cache')).toEqual(first);
    expect(upstream.requests.length).toBe(asked);
    await upstream[Symbol.asyncDispose]();
    await writeFile(join(directory, 'Dockerfile'), 'FROM quay.io/a/base:1\nADD ovl.tar /\nADD ovl.tar /more/\n');
    expect((await build()).diffIds[0]).toBe(first.diffIds[0]);
  });

  it('is named by --debug, with where it comes from', async () => {
    upstream.addImage('a/base:1', base('one'));
    const told = async (...options: readonly string[]) => {
      const { stderr } = await world.images(['mkimage', '--debug=build', '--tag=x/app:1', ...options, directory]);
      return /build\] (quay\.io\S* .*)\[?/.exec(stderr)?.[1]?.replace(/sha256:.*/, 'DIGEST');
    };
    expect(await told()).toBe('quay.io/a/base:1 comes from its registry: DIGEST');
    expect(await told('--no-cache', '--force')).toBe(
      'quay.io/a/base:1 is remembered, its registry is not asked: DIGEST',
    );
    await world.must(['lreg_cache', 'quay.io/a/base:1']);
    expect(await told('--no-cache', '--force')).toMatch(/^quay\.io\/a\/base:1 is here: /);
  });

  it('stays the same until --pull asks for the current one', async () => {
    upstream.addImage('a/base:1', base('one'));
    const first = await build();
    upstream.addImage('a/base:1', base('two'));
    expect(await build()).toEqual(first);
    const pulled = await build('--pull');
    expect(pulled.diffIds[0]).toBe(layerWith('two').diffId);
    expect(await build()).toEqual(pulled);
  });

  it('is fetched again, unchanged, if the store has lost its layers', async () => {
    upstream.addImage('a/base:1', base('one'));
    const first = await build();
    upstream.addImage('a/base:1', base('two'));
    await rm(join(world.data, 'docker/registry/v2/blobs'), { recursive: true });
    expect(await build()).toEqual(first);
    expect(upstream.fetches(layerWith('one').digest)).toBe(2);
  });
});
