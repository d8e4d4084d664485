// `images lreg_reload` and SIGHUP: the configuration is read again, and no request fails meanwhile.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { buildImage, pushImage, randomLayer, sha256 } from '../fixtures/image.ts';
import { newWorld } from '../peers/program.ts';
import { eventually } from '../testing/eventually.ts';
import { rounds, timeFor } from '../testing/soak.ts';

it('lreg_reload says what has changed and what waits; a mistake changes nothing', async () => {
  await using world = await newWorld();
  expect(await world.images(['lreg_reload'])).toMatchObject({
    status: 1,
    stderr: expect.stringContaining('not running'),
  });
  const file = join(world.data, 'registry.toml');
  const { base } = await world.startRegistry(['--gc=off']);
  await writeFile(file, 'quota = "1 GiB"\ngc = "daily"\ntls = "auto"\n');
  const { status, stdout, stderr } = await world.images(['lreg_reload']);
  expect([status, stdout]).toEqual([0, 'changed  quota: not set → "1 GiB"\nwaits    tls.auto: false → true\n']);
  expect(stderr).toBe(`Read again: ${file}\nWhat waits holds when the registry is started again.\n`);
  await writeFile(file, 'quota = "1 GiB"\nread_only = true\nquotta = "2 GiB"\n');
  expect(await world.images(['lreg_reload'])).toEqual({
    status: 1,
    stdout: '',
    stderr: `ERROR: ${file}:3: unknown key [quotta]\nDid you mean quota?\n`,
  });
  expect((await fetch(`${base}/v2/a/blobs/uploads/`, { method: 'POST' })).status).toBe(202);
  await writeFile(file, 'quota = "1 GiB"\n');
  expect(JSON.parse(await world.must(['lreg_reload', '--json']))).toEqual({ file, changed: [], waiting: [] });
  const { pid } = JSON.parse(await world.must(['lreg_status', '--json']));
  await writeFile(file, 'read_only = true\n');
  process.kill(pid, 'SIGHUP');
  await eventually(async () => (await fetch(`${base}/v2/a/blobs/uploads/`, { method: 'POST' })).status === 403);
});

/** In milliseconds. `IMAGES_SOAK=40` is two minutes of it. */
const LOAD_MS = 3000;

it('pulls and pushes go on while the configuration is read again every 100 ms', {
  timeout: timeFor(60_000),
}, async () => {
  await using world = await newWorld();
  const file = join(world.data, 'registry.toml');
  const { base } = await world.startRegistry();
  const { pid } = JSON.parse(await world.must(['lreg_status', '--json']));
  const large = buildImage({ layers: [randomLayer('large', 20_000_000)] });
  await pushImage(base, 'lib/large:1', large);
  const layer = large.blobs[1];
  const until = performance.now() + rounds(LOAD_MS);
  const done = { pulls: 0, pushes: 0, reloads: 0 };
  const pulling = async () => {
    while (performance.now() < until) {
      const answer = await fetch(`${base}/v2/lib/large/blobs/${layer?.digest}`);
      expect(answer.status).toBe(200);
      expect(sha256(new Uint8Array(await answer.arrayBuffer()))).toBe(layer?.digest);
      expect((await fetch(`${base}/v2/lib/large/manifests/1`)).status).toBe(200);
      done.pulls++;
    }
  };
  const pushing = async (who: number) => {
    while (performance.now() < until) {
      await pushImage(
        base,
        `ci/app${who}:1`,
        buildImage({ layers: [randomLayer(`${who} ${done.pushes++}`, 300_000)] }),
      );
    }
  };
  const reloading = async () => {
    while (performance.now() < until) {
      if (done.reloads % 5 === 0) await writeFile(file, `quota = "${10 + done.reloads} GiB"\nimmutable = ["x"]\n`);
      process.kill(pid, 'SIGHUP');
      done.reloads++;
      await delay(100);
    }
  };
  await Promise.all([pulling(), pulling(), pushing(1), pushing(2), reloading()]);
  expect(Math.min(done.pulls, done.pushes, done.reloads)).toBeGreaterThan(0);
  await world.must(['lreg_reload']);
  if (rounds(1) > 1) console.log(done);
});
