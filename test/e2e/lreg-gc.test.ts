// What `lreg_gc` frees and says; with docker-registry before and after it. Races, kills and full disks are in lreg-gc-kill.test.ts.
import { once } from 'node:events';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { tryLock } from '../../src/io/files/lock.ts';
import { pushImage } from '../fixtures/image.ts';
import { startDockerRegistry } from '../peers/docker-registry.ts';
import { needs } from '../peers/find.ts';
import { newWorld } from '../peers/program.ts';
import { ageStore } from './testing/age-store.ts';
import { ALPINE, MANY, NEWER, TOOL } from './testing/scene.ts';

const sizeOf = (images: readonly (typeof ALPINE)[]) =>
  images.flatMap(({ manifest, blobs }) => [manifest, ...blobs]).reduce((sum, { bytes }) => sum + bytes.length, 0);

describe('images lreg_gc', () => {
  it('frees images that lost their tag, reports them, and keeps the rest, while the registry runs', async () => {
    await using world = await newWorld();
    const registry = await world.startRegistry();
    await pushImage(registry.base, 'team/app:latest', NEWER);
    await pushImage(registry.base, 'team/app:latest', ALPINE);
    await pushImage(registry.base, 'team/many:1', MANY);
    await world.must(['lreg_rm', 'team/many:1']);
    await pushImage(registry.base, 'team/tool:v1', TOOL);
    expect((await world.images(['lreg_gc'])).stdout).toMatch(
      /^Freed 0 B in 0 blobs\.\nIn a day: .* in 7 blobs that nothing names/,
    );

    await ageStore(world.data, 3);
    const bytes = sizeOf([NEWER, ...MANY.children]) + MANY.manifest.bytes.length;
    const planned = JSON.parse(await world.must(['lreg_gc', '--older-than=0', '--dry-run', '--json']));
    const manifest = { repository: 'team/app', digest: NEWER.manifest.digest, mediaType: NEWER.manifest.mediaType };
    expect(planned).toEqual({
      dryRun: true,
      tags: [],
      retentionWaits: false,
      data: world.data,
      manifests: [{ ...manifest, tags: ['latest'] }],
      blobs: 10,
      bytes,
      recent: { blobs: 0, bytes: 0 },
      isMore: false,
    });
    expect(await world.must(['lreg_gc', '--older-than=0'])).toBe(
      `Removed team/app@${NEWER.manifest.digest} (image, was latest)\nFreed ${(bytes / 1000).toFixed(1)} kB in 10 blobs.\n`,
    );
    expect(await world.must(['lreg_gc', '--older-than=0'])).toBe('Freed 0 B in 0 blobs.\n');
    for (const name of ['team/app:latest', 'team/tool:v1']) {
      await world.must(['check', `docker://${registry.host}/${name}`]);
    }
    expect(JSON.parse(await world.must(['lreg_status', '--json'])).blobs).toBe(6);
    const gone = await fetch(`${registry.base}/v2/team/app/blobs/${NEWER.blobs[0]?.digest}`);
    expect(gone.status).toBe(404);
  });

  it('keeps images that lost their tag recently, or with --keep-untagged', async () => {
    await using world = await newWorld();
    const registry = await world.startRegistry();
    await pushImage(registry.base, 'team/app:latest', NEWER);
    await pushImage(registry.base, 'team/app:latest', ALPINE);
    await ageStore(world.data, 3);
    for (const option of ['--keep-untagged', '--older-than=1h', '--older-than=7d']) {
      expect(await world.must(['lreg_gc', option])).toBe('Freed 0 B in 0 blobs.\n');
    }
    expect(await world.images(['lreg_gc', '--older-than=soon'])).toMatchObject({
      status: 2,
      stderr: expect.stringMatching(/^ERROR: not an age \[--older-than=soon\]\n.*7d/),
    });
  });

  it('works one at a time, and says who collects', async () => {
    await using world = await newWorld();
    const registry = await world.startRegistry();
    await pushImage(registry.base, 'team/app:latest', ALPINE);
    const lock = await tryLock(join(world.data, 'images/collecting'));
    const second = await world.images(['lreg_gc']);
    expect(second.status).toBe(1);
    expect(second.stderr).toMatch(`ERROR: another process collects garbage there now, pid ${process.pid}`);
    await world.must(['lreg_gc', '--dry-run']);
    await lock?.[Symbol.asyncDispose]();
    await world.must(['lreg_gc']);
  });

  it('reports that there is no store', async () => {
    await using world = await newWorld();
    expect((await world.images(['lreg_gc'])).stderr).toMatch(/^ERROR: no private registry/);
    expect((await world.images(['lreg_gc', `--data=${world.path}/none`])).stderr).toMatch(/^ERROR: there is no store/);
  });

  it('ends soon when it is interrupted, and the next one goes on', async () => {
    await using world = await newWorld();
    const registry = await world.startRegistry();
    await pushImage(registry.base, 'team/app:latest', NEWER);
    await pushImage(registry.base, 'team/app:latest', ALPINE);
    await ageStore(world.data, 3);
    const child = world.startImages(['lreg_gc', '--older-than=0']);
    setTimeout(() => child.kill('SIGINT'), 150);
    await once(child, 'exit');
    await world.must(['lreg_gc', '--older-than=0']);
    await world.must(['check', `docker://${registry.host}/team/app:latest`]);
    expect(JSON.parse(await world.must(['lreg_status', '--json'])).blobs).toBe(3);
  });
});

const peer = needs('docker-registry');

describe.skipIf(peer.missing)(`with docker-registry${peer.why}`, () => {
  it('refuses another registry, and says what collects there', async () => {
    await using world = await newWorld();
    await using other = await startDockerRegistry();
    const result = await world.images(['lreg_gc'], { env: { LOCAL_REGISTRY: other.host } });
    expect(result.status).toBe(1);
    expect(result.stderr).toMatch(
      /^ERROR: only the embedded registry can be collected from here .*\n.*registry garbage-collect/,
    );
  });
});
