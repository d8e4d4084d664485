// That a collection loses nothing: volumes of docker-registry before and after, kills, full disks, and pushes, builds and other collections at the same time.
import { once } from 'node:events';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { blob, buildImage, buildIndex, type FixtureImage, pushImage, randomLayer } from '../fixtures/image.ts';
import { startDockerRegistry } from '../peers/docker-registry.ts';
import { needs } from '../peers/find.ts';
import { must, until } from '../peers/process.ts';
import { newWorld, type World } from '../peers/program.ts';
import { rounds, timeFor } from '../testing/soak.ts';
import { ageStore } from './testing/age-store.ts';

const SHARED = randomLayer('gc shared', 30_000);
const imageOf = (seed: string) => buildImage({ layers: [SHARED, randomLayer(`gc ${seed}`, 20_000)] });

/** A referrer of the image: an artifact without content. */
function signatureOf({ manifest }: FixtureImage): FixtureImage {
  const empty = blob('application/vnd.oci.empty.v1+json', Buffer.from('{}'));
  const descriptor = ({ mediaType, digest, bytes }: typeof empty) => ({ mediaType, digest, size: bytes.length });
  const fields = {
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    artifactType: 'application/vnd.example.signature',
    config: descriptor(empty),
    layers: [descriptor(empty)],
    subject: descriptor(manifest),
  };
  const bytes = Buffer.from(JSON.stringify(fields));
  return { manifest: blob(fields.mediaType, bytes), blobs: [empty], children: [], architecture: 'amd64' };
}

async function expectServed(base: string, name: string, image: FixtureImage): Promise<void> {
  const cut = name.includes('@') ? name.indexOf('@') : name.lastIndexOf(':');
  const repository = name.slice(0, cut);
  const headers = { accept: image.manifest.mediaType };
  const manifest = await fetch(`${base}/v2/${repository}/manifests/${name.slice(cut + 1)}`, { headers });
  expect([name, manifest.status]).toEqual([name, 200]);
  expect(Buffer.from(await manifest.arrayBuffer()).equals(image.manifest.bytes), name).toBe(true);
  for (const { digest, bytes } of image.blobs) {
    const answer = await fetch(`${base}/v2/${repository}/blobs/${digest}`);
    expect([name, digest, answer.status]).toEqual([name, digest, 200]);
    expect(Buffer.from(await answer.arrayBuffer()).equals(bytes), digest).toBe(true);
  }
  for (const child of image.children) await expectServed(base, `${repository}@${child.manifest.digest}`, child);
}

const peers = needs('docker-registry', 'skopeo');

describe.skipIf(peers.missing)(`a volume of docker-registry${peers.why}`, () => {
  it('loses nothing when it is collected, and docker-registry collects it afterwards', async () => {
    await using world = await newWorld();
    const many = buildIndex([
      imageOf('amd'),
      buildImage({ layers: [randomLayer('gc arm', 9000)], architecture: 'arm64' }),
    ]);
    const [tagged, moved, byDigest, mounted] = ['tagged', 'moved', 'digest', 'mounted'].map(imageOf) as [
      FixtureImage,
      FixtureImage,
      FixtureImage,
      FixtureImage,
    ];
    const signature = signatureOf(tagged);
    const named: readonly (readonly [string, FixtureImage])[] = [
      ['team/app:1', tagged],
      [`team/app@${byDigest.manifest.digest}`, byDigest],
      [`team/app@${signature.manifest.digest}`, signature],
      ['team/many:1', many],
      ['other/app:2', tagged],
      ['other/mounted:1', mounted],
      [`team/moved@${moved.manifest.digest}`, moved],
      ['team/moved:latest', tagged],
    ];
    const garbage = randomLayer('gc garbage', 50_000);
    {
      await using registry = await startDockerRegistry({ data: world.data });
      const { base } = registry;
      await pushImage(base, 'team/moved:latest', moved);
      for (const [name, image] of named) {
        if (image === mounted) await pushMounted(base, image);
        else await pushImage(base, name, image);
      }
      const begun = await fetch(`${base}/v2/team/app/blobs/uploads/`, { method: 'POST' });
      const put = new URL(begun.headers.get('location') ?? '', base);
      put.searchParams.set('digest', garbage.digest);
      const body = new Uint8Array(garbage.bytes);
      const headers = { 'content-type': 'application/octet-stream' };
      expect((await fetch(put, { method: 'PUT', headers, body })).status).toBe(201);
    }
    await ageStore(world.data, 30);
    const collected = JSON.parse(await world.must(['lreg_gc', '--older-than=0', '--json', `--data=${world.data}`]));
    expect(collected).toMatchObject({ manifests: [], blobs: 1, bytes: garbage.bytes.length });
    {
      await using registry = await startDockerRegistry({ data: world.data });
      for (const [name, image] of named) await expectServed(registry.base, name, image);
      for (const [at, [name]] of named.entries()) {
        const to = `dir:${join(world.path, `copy-${at}`)}`;
        await must('skopeo', ['copy', '--all', '--src-tls-verify=false', `docker://${registry.host}/${name}`, to]);
      }
      const gone = await fetch(`${registry.base}/v2/team/app/blobs/${garbage.digest}`);
      expect(gone.status).toBe(404);
      await registry.collectGarbage();
    }
    await using registry = await startDockerRegistry({ data: world.data });
    for (const [name, image] of named) await expectServed(registry.base, name, image);
    await world.must(['lreg_gc', '--older-than=0', `--data=${world.data}`]);
    for (const [name, image] of named) await expectServed(registry.base, name, image);
    for (const name of ['team/app:1', 'team/many:1', 'other/mounted:1']) {
      await world.must(['check', `docker://${registry.host}/${name}`]);
    }
  });
});

/** Pushes to one repository, and mounts all parts into another, which gets the manifest. */
async function pushMounted(base: string, image: FixtureImage): Promise<void> {
  await pushImage(base, 'team/app:mounted', image);
  for (const { digest } of image.blobs) {
    const query = `mount=${digest}&from=team/app`;
    const answer = await fetch(`${base}/v2/other/mounted/blobs/uploads/?${query}`, { method: 'POST' });
    expect(answer.status).toBe(201);
  }
  await pushImage(base, 'other/mounted:1', image);
}

const skopeo = needs('skopeo');
const IMAGES = ['one', 'two', 'three', 'four'].map(imageOf);
const REPOSITORIES = 3;

/** The images as directories that skopeo pushes from. */
async function directories(world: World, host: string): Promise<readonly string[]> {
  const base = `http://${host}`;
  const made: string[] = [];
  for (const [at, image] of IMAGES.entries()) {
    await pushImage(base, `source:${at}`, image);
    const to = join(world.path, `image-${at}`);
    await must('skopeo', ['copy', '--src-tls-verify=false', `docker://${host}/source:${at}`, `dir:${to}`]);
    made.push(to);
  }
  for (const at of IMAGES.keys()) await world.must(['lreg_rm', `source:${at}`]);
  return made;
}

/** Moves the tags of all repositories to other images, most parts of which are old garbage by now. */
async function pushRound(host: string, round: number, from: readonly string[]): Promise<void> {
  const push = async (at: number) => {
    const source = `dir:${from[(round + at) % from.length]}`;
    const to = `docker://${host}/team/app-${at}:latest`;
    await must('skopeo', ['copy', '--dest-tls-verify=false', source, to]);
  };
  await Promise.all(Array.from({ length: REPOSITORIES }, (_, at) => push(at)));
}

async function expectRound(base: string, round: number): Promise<void> {
  for (let at = 0; at < REPOSITORIES; at++) {
    await expectServed(base, `team/app-${at}:latest`, IMAGES[(round + at) % IMAGES.length] as FixtureImage);
  }
}

const GC = ['lreg_gc', '--older-than=0'];

describe.skipIf(skopeo.missing)(
  `collections beside pushes of skopeo${skopeo.why}`,
  { timeout: timeFor(120_000) },
  () => {
    it('that are killed lose nothing, and leave no garbage', async () => {
      await using world = await newWorld();
      const registry = await world.startRegistry();
      const from = await directories(world, registry.host);
      for (let round = 0; round < rounds(3); round++) {
        await ageStore(world.data, 3);
        let isOver = false;
        const killing = async () => {
          while (!isOver) {
            const child = world.startImages(GC);
            const ended = once(child, 'exit');
            await Promise.race([ended, delay(100 + Math.random() * 900)]);
            child.kill('SIGKILL');
            await ended;
          }
        };
        const killed = killing();
        await pushRound(registry.host, round, from);
        isOver = true;
        await killed;
        await expectRound(registry.base, round);
      }
      const last = rounds(3) - 1;
      await world.must(GC);
      await ageStore(world.data, 3);
      await world.must(GC);
      await expectRound(registry.base, last);
      // Three images with a layer and a config each, and what they share.
      expect(JSON.parse(await world.must(['lreg_status', '--json'])).blobs).toBe(REPOSITORIES * 3 + 1);
    });

    it('of which two run at once beside a build disturb nobody', async () => {
      await using world = await newWorld();
      const registry = await world.startRegistry();
      const from = await directories(world, registry.host);
      const context = join(world.path, 'built');
      await mkdir(context);
      await writeFile(join(context, 'tar'), '#!/bin/sh\ncd "$(dirname "$0")" && tar cf "$1" Dockerfile tar\n');
      await chmod(join(context, 'tar'), 0o755);
      for (let round = 0; round < rounds(2); round++) {
        await ageStore(world.data, 3);
        await writeFile(join(context, 'Dockerfile'), `FROM scratch\nADD ovl.tar /\nLABEL round=${round}\n`);
        let isOver = false;
        const collecting = async () => {
          while (!isOver) {
            const { status, stderr } = await world.images(GC);
            if (status !== 0)
              expect(stderr).toMatch(/^ERROR: another process collects garbage there now(, pid \d+)? \[/);
          }
        };
        const collectors = [collecting(), collecting()];
        await Promise.all([
          pushRound(registry.host, round, from),
          world.must(['mkimage', '--tag=team/built:1', '--upload', context]),
        ]);
        isOver = true;
        await Promise.all(collectors);
        await expectRound(registry.base, round);
        await world.must(['check', `docker://${registry.host}/team/built:1`]);
      }
    });
  },
);

const asRoot = needs('root', 'mount');

it.skipIf(asRoot.missing)(`a full disk keeps nobody from freeing it${asRoot.why}`, async () => {
  await using world = await newWorld();
  await mkdir(world.data);
  await must('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', world.data]);
  try {
    const registry = await world.startRegistry();
    const [old, young] = [imageOf('old'), imageOf('young')];
    await pushImage(registry.base, 'team/app:latest', old);
    await pushImage(registry.base, 'team/app:latest', young);
    await ageStore(world.data, 3);
    const filling = writeFile(join(world.data, 'full'), Buffer.alloc(8_000_000));
    await expect(filling).rejects.toMatchObject({ code: 'ENOSPC' });
    expect(JSON.parse(await world.must([...GC, '--json']))).toMatchObject({ blobs: 3 });
    await until(async () => (await fetch(`${registry.base}/v2/`)).ok);
    await expectServed(registry.base, 'team/app:latest', young);
    await world.images(['lreg_stop']);
  } finally {
    await must('umount', [world.data]);
  }
});
