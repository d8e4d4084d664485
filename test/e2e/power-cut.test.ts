// Power cuts during pushes, preloads and builds: everything that was acknowledged is there after the restart, and everything else can be repeated.
// The disk is a test double that loses unsynced data (test/power-cut/disk.ts).
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { buildImage, type FixtureImage, randomLayer } from '../fixtures/image.ts';
import { writeOverlay } from '../fixtures/overlay.ts';
import { until } from '../peers/process.ts';
import { newWorld } from '../peers/program.ts';
import { freePort } from '../peers/temporary.ts';
import { startUpstream } from '../peers/upstream.ts';
import { type ForgetfulDiskOptions, forgetfulDisk, type Left } from '../power-cut/disk.ts';
import { pushing } from '../power-cut/pushing.ts';
import { rounds, timeFor } from '../testing/soak.ts';
import { ageStore } from './testing/age-store.ts';

const LEFT: readonly Left[] = ['nothing', 'names', 'some', 'all'];
const CLIENTS = 2;

/** A pseudo-random generator: a failed round can be repeated with its seed. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** A world with its store on the test double, and a registry that can be killed. */
async function newMachine(options: ForgetfulDiskOptions = {}) {
  const world = await newWorld();
  const disk = await forgetfulDisk(world.data, options);
  const port = await freePort();
  const base = `http://127.0.0.1:${port}`;
  const boot = async () => {
    const server = world.startImages(['serve', `--listen=127.0.0.1:${port}`], { env: disk.env() });
    server.stderr?.resume();
    server.stdout?.resume();
    await until(async () => (await fetch(`${base}/v2/`)).ok);
    return {
      kill: async () => {
        const ended = once(server, 'exit');
        server.kill('SIGKILL');
        await ended;
      },
    };
  };
  return {
    world,
    disk,
    base,
    boot,
    must: (...args: readonly string[]) => world.must(args, { env: disk.env() }),
    start: (...args: readonly string[]) => world.startImages(args, { env: disk.env() }),
    [Symbol.asyncDispose]: async () => {
      await disk[Symbol.asyncDispose]();
      await world[Symbol.asyncDispose]();
    },
  };
}

async function expectWhole(base: string, repository: string, image: FixtureImage): Promise<void> {
  const manifest = await fetch(`${base}/v2/${repository}/manifests/1`);
  expect([repository, manifest.status]).toEqual([repository, 200]);
  expect(Buffer.from(await manifest.arrayBuffer()).equals(image.manifest.bytes)).toBe(true);
  for (const blob of image.blobs) {
    const answer = await fetch(`${base}/v2/${repository}/blobs/${blob.digest}`);
    expect([blob.digest, answer.status]).toEqual([blob.digest, 200]);
    expect(Buffer.from(await answer.arrayBuffer()).equals(blob.bytes), blob.digest).toBe(true);
  }
}

/** Starts a process again and again; the last one is killed. */
async function killedWhenOver(start: () => ChildProcess, isOver: () => boolean): Promise<void> {
  while (!isOver()) {
    const child = start();
    child.stdout?.resume();
    child.stderr?.resume();
    const ended = once(child, 'exit');
    const watch = setInterval(() => isOver() && child.kill('SIGKILL'), 5);
    await ended;
    clearInterval(watch);
  }
}

describe.each(LEFT)('a power cut that leaves %s of what was not synced', { timeout: timeFor(60_000) }, (left) => {
  it.each([false, true])('loses nothing that a registry has acknowledged [with a journal: %s]', async (hasJournal) => {
    await using machine = await newMachine({ hasJournal });
    const random = randomFrom(LEFT.indexOf(left) + 1);
    const clients = Array.from({ length: CLIENTS }, (_, at) => pushing(`team/c${at}`, random));
    const count = () => clients.reduce((sum, client) => sum + client.acknowledged, 0);
    for (let round = 0; round < rounds(3); round++) {
      const server = await machine.boot();
      await Promise.all(clients.map((client) => client.check(machine.base)));
      let isOver = false;
      const running = Promise.all(clients.map((client) => client.run(machine.base, () => isOver)));
      const enough = count() + 5 + Math.floor(random() * 40);
      await Promise.race([running, until(async () => count() >= enough)]);
      isOver = true;
      await server.kill();
      await running;
      await machine.disk.cut(left, random);
    }
    const server = await machine.boot();
    await Promise.all(clients.map((client) => client.check(machine.base)));
    await server.kill();
  });

  it('loses no tag that a registry has acknowledged while garbage is collected', async () => {
    await using machine = await newMachine();
    const random = randomFrom(LEFT.indexOf(left) + 11);
    const clients = Array.from({ length: CLIENTS }, (_, at) => pushing(`team/c${at}`, random));
    const count = () => clients.reduce((sum, client) => sum + client.acknowledged, 0);
    for (let round = 0; round < rounds(3); round++) {
      // Everything is old, so what no manifest names is garbage now, and manifests that have lost their tags go.
      await ageStore(machine.world.data, 3);
      const server = await machine.boot();
      let isOver = false;
      const running = Promise.all(clients.map((client) => client.run(machine.base, () => isOver)));
      const collecting = killedWhenOver(
        () => machine.start('lreg_gc', '--older-than=0'),
        () => isOver,
      );
      const enough = count() + 20 + Math.floor(random() * 60);
      await Promise.race([running, until(async () => count() >= enough)]);
      isOver = true;
      await server.kill();
      await Promise.all([running, collecting]);
      await machine.disk.cut(left, random);
      const again = await machine.boot();
      await Promise.all(clients.map((client) => client.check(machine.base, 'tags')));
      await again.kill();
    }
    await ageStore(machine.world.data, 3);
    await machine.must('lreg_gc', '--older-than=0');
    const server = await machine.boot();
    await Promise.all(clients.map((client) => client.check(machine.base, 'tags')));
    await server.kill();
  });

  it('loses nothing that a preload has done, and what it had not can be done again', async () => {
    await using machine = await newMachine();
    await using upstream = await startUpstream();
    const names = ['library/one', 'library/two', 'library/three'];
    const images = names.map((name) =>
      buildImage({ layers: [randomLayer(name, 400_000), randomLayer('base', 90_000)] }),
    );
    for (const [at, image] of images.entries()) upstream.addImage(`${names[at]}:1`, image);
    const overlay = await writeOverlay(
      join(machine.world.path, 'overlay'),
      names.map((name) => `${upstream.host}/${name}:1`),
    );
    upstream.behave({ bytesPerSecond: 1_000_000 });
    const killed = machine.start('lreg_preload', overlay);
    await until(async () => upstream.sent() > 500_000);
    killed.kill('SIGKILL');
    await once(killed, 'exit');
    await machine.disk.cut(left, randomFrom(7));
    upstream.behave({});
    await machine.must('lreg_preload', overlay);
    await machine.disk.cut(left, randomFrom(8));
    const server = await machine.boot();
    for (const [at, image] of images.entries()) {
      await expectWhole(machine.base, names[at] ?? '', image);
      await machine.must('lreg_isloaded', `${upstream.host}/${names[at]}:1`);
    }
    await server.kill();
  });

  it('leaves a built image whole or absent; once uploaded, it is there', async () => {
    await using machine = await newMachine();
    const image = join(machine.world.path, 'image');
    await mkdir(image);
    await writeFile(join(image, 'tar'), '#!/bin/sh\ncd "$(dirname "$0")" && tar cf "$1" Dockerfile tar\n');
    await chmod(join(image, 'tar'), 0o755);
    await writeFile(join(image, 'Dockerfile'), 'FROM scratch\nADD ovl.tar /\n');
    const registry = `docker://${new URL(machine.base).host}`;
    let server = await machine.boot();
    // Three ways into the registry: a link in process, a push over HTTP, and a build on what a push made durable.
    await machine.must('mkimage', '--tag=team/one:1', '--upload', image);
    await machine.must('mkimage', '--tag=team/two:1', image);
    await machine.must('copy', 'team/two:1', `${registry}/pushed/two:1`);
    await writeFile(join(image, 'Dockerfile'), 'FROM scratch\nADD ovl.tar /\nCOPY ovl.tar /again\n');
    await machine.must('mkimage', '--tag=team/three:1', image);
    await server.kill();
    await machine.disk.cut(left, randomFrom(9));

    server = await machine.boot();
    for (const name of ['team/one', 'pushed/two']) {
      await machine.must('check', `${registry}/${name}:1`);
    }
    await machine.must('mkimage', '--tag=team/three:1', '--upload', image);
    await machine.must('check', `${registry}/team/three:1`);
    await server.kill();
    await machine.disk.cut(left, randomFrom(10));

    server = await machine.boot();
    for (const name of ['team/one', 'pushed/two', 'team/three']) await machine.must('check', `${registry}/${name}:1`);
    await server.kill();
  });
});
