// Preloads that are killed, interrupted, run twice, without space or permission, or with failing sources. Nothing is lost, nothing incomplete
// is served, and the next run continues where the last one stopped. Fetched bytes are counted at the source.
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { buildImage, type FixtureImage, randomLayer } from '../fixtures/image.ts';
import { writeOverlay } from '../fixtures/overlay.ts';
import { needs } from '../peers/find.ts';
import { must, until } from '../peers/process.ts';
import { newWorld, type RunningRegistry } from '../peers/program.ts';
import { startUpstream, type Upstream } from '../peers/upstream.ts';

const MB = 1_000_000;
const layer = randomLayer('kill', 24 * MB);
const image = buildImage({ layers: [randomLayer('kill base', MB), layer] });
const imageBytes = image.blobs.reduce((sum, one) => sum + one.bytes.length, 0);

/** An overlay with one image of 25 MB, its source, and a world whose embedded registry runs. */
async function setting(images: Readonly<Record<string, FixtureImage>> = { 'library/large:1': image }) {
  const upstream = await startUpstream();
  const world = await newWorld();
  for (const [name, one] of Object.entries(images)) upstream.addImage(name, one);
  const overlay = await writeOverlay(
    join(world.path, 'overlay'),
    Object.keys(images).map((name) => `${upstream.host}/${name}`),
  );
  const registry = await world.startRegistry();
  return {
    upstream,
    world,
    overlay,
    registry,
    [Symbol.asyncDispose]: async () => {
      await world[Symbol.asyncDispose]();
      await upstream[Symbol.asyncDispose]();
    },
  };
}

describe('a preload that is killed', () => {
  it('leaves nothing incomplete in the registry, and the next run fetches only what was not on disk', async () => {
    await using here = await setting();
    const { upstream, world, overlay, registry } = here;
    upstream.behave({ bytesPerSecond: 8 * MB });
    const killed = world.startImages(['lreg_preload', overlay]);
    await sentSoFar(upstream, 10 * MB);
    killed.kill('SIGKILL');
    await once(killed, 'exit');

    expect(await tagStatus(registry, 'library/large', '1')).toBe(404);
    upstream.behave({});
    const before = upstream.sent();
    await world.must(['lreg_preload', overlay]);
    const refetched = upstream.sent() - before;
    // Bytes that were in socket buffers when the process died are fetched again: a few hundred kilobytes.
    expect(refetched).toBeLessThan(imageBytes - before + 4 * MB);
    expect(await tagStatus(registry, 'library/large', '1')).toBe(200);
    await expectWhole(registry, 'library/large', image);
  });

  it('never leaves a tag whose blobs are missing, wherever it is killed', async () => {
    const images = Object.fromEntries(
      Array.from({ length: 6 }, (_, index) => [
        `library/many-${index}:1`,
        buildImage({ layers: [randomLayer(`many ${index}`, 2 * MB)] }),
      ]),
    );
    await using here = await setting(images);
    const { upstream, world, overlay, registry } = here;
    upstream.behave({ bytesPerSecond: 12 * MB });
    for (const bytes of [1, 4, 7, 10]) {
      const child = world.startImages(['lreg_preload', overlay]);
      await Promise.race([sentSoFar(upstream, bytes * MB), once(child, 'exit')]);
      child.kill('SIGKILL');
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
      for (const [name, one] of Object.entries(images)) {
        const repository = name.replace(/:1$/, '');
        if ((await tagStatus(registry, repository, '1')) === 200) await expectWhole(registry, repository, one);
      }
    }
    upstream.behave({});
    await world.must(['lreg_preload', overlay]);
    for (const [name, one] of Object.entries(images)) await expectWhole(registry, name.replace(/:1$/, ''), one);
  });
});

describe('Ctrl-C', () => {
  it('ends with status 1 or the signal, and the next run goes on', async () => {
    await using here = await setting();
    const { upstream, world, overlay, registry } = here;
    upstream.behave({ bytesPerSecond: 8 * MB });
    const child = world.startImages(['lreg_preload', overlay]);
    await sentSoFar(upstream, 10 * MB);
    child.kill('SIGINT');
    const { status, stderr } = await ended(child);
    expect(status).not.toBe(0);
    expect(stderr).not.toMatch(/^\s+at /m);
    expect(await tagStatus(registry, 'library/large', '1')).toBe(404);
    upstream.behave({});
    const before = upstream.sent();
    await world.must(['lreg_preload', overlay]);
    expect(upstream.sent() - before).toBeLessThan(imageBytes - before + 4 * MB);
    await expectWhole(registry, 'library/large', image);
  });
});

describe('two preloads of one overlay at once', () => {
  it('fetch each layer once', async () => {
    await using here = await setting();
    const { upstream, world, overlay, registry } = here;
    upstream.behave({ bytesPerSecond: 20 * MB });
    const results = await Promise.all([
      world.images(['lreg_preload', overlay]),
      world.images(['lreg_preload', overlay]),
    ]);
    expect(results.map((result) => [result.status, result.stdout])).toEqual([
      [0, ''],
      [0, ''],
    ]);
    // Each process reads the config, to compare it with the manifest.
    for (const one of image.blobs.slice(1)) expect(upstream.fetches(one.digest), one.mediaType).toBe(1);
    await expectWhole(registry, 'library/large', image);
  });

  it('continue each other’s downloads if one is killed', async () => {
    await using here = await setting();
    const { upstream, world, overlay, registry } = here;
    upstream.behave({ bytesPerSecond: 10 * MB });
    const first = world.startImages(['lreg_preload', overlay]);
    await sentSoFar(upstream, 5 * MB);
    const second = world.images(['lreg_preload', overlay]);
    await sentSoFar(upstream, 12 * MB);
    first.kill('SIGKILL');
    await once(first, 'exit');
    expect((await second).status).toBe(0);
    expect(upstream.sent()).toBeLessThan(imageBytes + 6 * MB);
    await expectWhole(registry, 'library/large', image);
  });
});

describe('a store that cannot be written', () => {
  const asRoot = needs('root', 'mount');
  it.skipIf(asRoot.missing)(
    `is reported if the disk is full, and works again when there is space${asRoot.why}`,
    async () => {
      await using here = await setting();
      const { world, overlay } = here;
      const data = join(world.path, 'small');
      await mkdir(data);
      await must('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', data]);
      try {
        const env = { IMAGES_DATA: data };
        const full = await world.images(['lreg_preload', overlay], { env });
        expect(full.status).toBe(1);
        expect(full.stderr).toMatch(/^ERROR: .*(space|full)/im);
        expect(full.stderr).not.toMatch(/^\s+at /m);
        expect((await world.images(['lreg_isloaded', 'library/large:1'], { env })).status).toBe(1);
        await must('mount', ['-o', 'remount,size=80m', data]);
        await world.must(['lreg_preload', overlay], { env });
        expect((await world.images(['lreg_isloaded', 'library/large:1'], { env })).status).toBe(0);
      } finally {
        await must('umount', [data]);
      }
    },
  );

  it.skipIf(asRoot.missing)(`is reported if it is read-only${asRoot.why}`, async () => {
    await using here = await setting();
    const { world, overlay } = here;
    const data = join(world.path, 'readonly');
    await mkdir(data);
    await must('mount', ['-t', 'tmpfs', '-o', 'ro,size=1m', 'tmpfs', data]);
    try {
      const result = await world.images(['lreg_preload', overlay], { env: { IMAGES_DATA: data } });
      expect(result.status).toBe(1);
      expect(result.stderr).toMatch(/^ERROR: .*(read-only|write)/im);
      expect(result.stderr).not.toMatch(/^\s+at /m);
    } finally {
      await must('umount', [data]);
    }
  });

  const asUser = {
    missing: process.getuid?.() === 0,
    why: process.getuid?.() === 0 ? ' (skipped: root may write anywhere)' : '',
  };
  it.skipIf(asUser.missing)(`is reported if it belongs to somebody else${asUser.why}`, async () => {
    await using here = await setting();
    const { world, overlay } = here;
    const data = join(world.path, 'foreign');
    await mkdir(data);
    await chmod(data, 0o555);
    const result = await world.images(['lreg_preload', overlay], { env: { IMAGES_DATA: data } });
    expect(result.status).toBe(1);
    expect(result.stderr).toContain('ERROR: ');
  });
});

describe('a source that fails', () => {
  it('is asked for the rest if it closes in the middle of a blob', async () => {
    await using here = await setting();
    const { upstream, world, overlay, registry } = here;
    upstream.behave({ closeAfter: 10 * MB });
    await world.must(['lreg_preload', overlay]);
    expect(upstream.fetches(layer.digest)).toBe(2);
    expect(upstream.sent()).toBeLessThan(imageBytes + 2 * MB);
    await expectWhole(registry, 'library/large', image);
  });

  it('is named if it refuses connections', async () => {
    await using here = await setting();
    const { upstream, world, overlay } = here;
    await upstream[Symbol.asyncDispose]();
    const result = await world.images(['lreg_preload', overlay]);
    expect(result.status).toBe(1);
    expect(result.stderr).toMatch(/^ERROR: .*127\.0\.0\.1/m);
    expect(result.stderr).not.toMatch(/^\s+at /m);
  });

  it('is named if it has no such image; with --keep-going other images are fetched', async () => {
    await using here = await setting();
    const { world, overlay, registry } = here;
    await writeOverlay(join(overlay, 'more'), [`${here.upstream.host}/library/absent:1`]);
    const result = await world.images(['lreg_preload', '--keep-going', overlay]);
    expect(result.status).toBe(1);
    expect(result.stderr).toMatch(/library\/absent:1/);
    expect(await tagStatus(registry, 'library/large', '1')).toBe(200);
    expect(await tagStatus(registry, 'library/absent', '1')).toBe(404);
  });

  it('that asks to wait (429 with Retry-After) is asked again after that time', async () => {
    await using here = await setting();
    const { upstream, world, overlay, registry } = here;
    upstream.behave({ refuse: { path: /\/manifests\//, status: 429, headers: { 'retry-after': '1' } } });
    const running = world.images(['lreg_preload', overlay]);
    await until(async () => upstream.requests.some((request) => request.includes('/manifests/')));
    upstream.behave({});
    expect((await running).status).toBe(0);
    await expectWhole(registry, 'library/large', image);
  });

  it('that accepts and never answers does not stop Ctrl-C', async () => {
    await using here = await setting();
    const { upstream, world, overlay } = here;
    upstream.behave({ hang: /\/manifests\// });
    const child = world.startImages(['lreg_preload', overlay]);
    await until(async () => upstream.requests.length > 0);
    child.kill('SIGINT');
    expect((await ended(child)).status).not.toBe(0);
  });
});

async function sentSoFar(upstream: Upstream, bytes: number): Promise<void> {
  await until(async () => upstream.sent() >= bytes);
}

async function ended(child: ChildProcess): Promise<{ readonly status: number | null; readonly stderr: string }> {
  const chunks: Buffer[] = [];
  child.stdout?.resume();
  child.stderr?.on('data', (chunk: Buffer) => chunks.push(chunk));
  const [status] = (await once(child, 'close')) as [number | null];
  return { status, stderr: Buffer.concat(chunks).toString() };
}

async function tagStatus(registry: RunningRegistry, repository: string, tag: string): Promise<number> {
  return (await fetch(`${registry.base}/v2/${repository}/manifests/${tag}`, { method: 'HEAD' })).status;
}

/** Checks that the registry serves the manifest and all of its blobs. */
async function expectWhole(registry: RunningRegistry, repository: string, one: FixtureImage): Promise<void> {
  const manifest = await fetch(`${registry.base}/v2/${repository}/manifests/1`);
  expect(manifest.status).toBe(200);
  expect(Buffer.from(await manifest.arrayBuffer()).equals(one.manifest.bytes)).toBe(true);
  for (const blob of one.blobs) {
    const answer = await fetch(`${registry.base}/v2/${repository}/blobs/${blob.digest}`);
    expect(answer.status, blob.digest).toBe(200);
    expect(Buffer.from(await answer.arrayBuffer()).equals(blob.bytes), blob.digest).toBe(true);
  }
}
