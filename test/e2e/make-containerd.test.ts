// A store of containerd that `images make` writes, unpacked by tar, is what a real containerd runs on. Needs root, as a node does; the program does not.
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildImage, buildIndex, busyboxLayer, layerOf, pushImage } from '../fixtures/image.ts';
import { type ContainerdPeer, startContainerd } from '../peers/containerd.ts';
import type { CriImage } from '../peers/cri.ts';
import { because, needs } from '../peers/find.ts';
import { must, until } from '../peers/process.ts';
import { newWorld, type World } from '../peers/program.ts';

const peers = needs('root', 'containerd', 'ctr', 'runc', 'tar', 'zstd', 'busybox');
const mounts = because([
  peers.why,
  needs('tar2sqfs').missing && needs('sqfstar').missing ? 'no tar2sqfs or sqfstar here' : undefined,
  needs('mount').missing ? 'no mount here' : undefined,
]);
const MINUTE = 60_000;
const ONE = 'docker.io/library/one:1';
const TWO = 'quay.io/tools/two:1';
const SHARED_AT = '/usr/lib/images/containerd';

describe.skipIf(peers.missing)(`a made store of containerd${peers.why}`, () => {
  let world: World;
  let base: string;
  let host: string;
  const at = (name: string) => join(world.path, name);

  beforeAll(async () => {
    world = await newWorld();
    const running = await world.startRegistry();
    base = running.base;
    host = running.host;
    const system = busyboxLayer();
    const below = layerOf([
      { name: 'd/' },
      { name: 'd/old', data: 'old' },
      { name: 'd/gone', data: 'x' },
      { name: 'f', data: 'f' },
    ]);
    const above = layerOf([{ name: '.wh.f' }, { name: 'd/.wh..wh..opq' }, { name: 'd/new', data: 'new' }]);
    const says = (text: string, ...layers: ReturnType<typeof layerOf>[]) =>
      buildImage({ layers: [system, below, ...layers], cmd: ['/bin/echo', `OK ${text}`] });
    const two = says('two', above);
    await pushImage(base, 'library/one:1', buildIndex([says('one')]));
    await pushImage(base, 'tools/two:1', two);
    await pushImage(base, 'library/three:1', says('three', above, layerOf([{ name: 'three', data: '3' }])));
  }, MINUTE);
  afterAll(async () => {
    await world[Symbol.asyncDispose]();
  });

  async function unpacked(name: string, archive: string): Promise<string> {
    await mkdir(at(name));
    await must('tar', ['-C', at(name), '-xf', archive]);
    return join(at(name), 'var/lib/containerd');
  }

  let runs = 0;
  function uses({ ctr }: ContainerdPeer) {
    const k8s = (...args: string[]) => ctr(['-n', 'k8s.io', ...args]);
    return {
      k8s,
      run: (image: string, ...command: string[]) =>
        k8s('run', '--rm', '--net-host', image, `made-${process.pid}-${runs++}`, ...command),
    };
  }

  it(
    'is complete: its images run, are removed, and others are pulled on their layers',
    async () => {
      await world.must(['make', '--format=containerd', `--tar=${at('whole.tar')}`, ONE, TWO]);
      const root = await unpacked('whole', at('whole.tar'));
      {
        await using containerd = await startContainerd({ root });
        const { k8s, run } = uses(containerd);
        const names = (await k8s('images', 'ls', '-q')).split('\n').filter((name) => !/@|^sha256:|^$/.test(name));
        expect(names).toEqual([ONE, TWO]);
        const checked = (await k8s('images', 'check'))
          .split('\n')
          .slice(1)
          .filter((line) => line !== '');
        expect(checked).toHaveLength(6);
        for (const line of checked) expect(line).toMatch(/ complete \(\d\/\d\) .* true/);
        expect(await run(ONE)).toBe('OK one\n');
        expect(await run(TWO)).toBe('OK two\n');
        expect(await run(TWO, '/bin/ls', '/d')).toBe('new\n');
        expect((await run(TWO, '/bin/ls', '/')).split('\n')).not.toContain('f');
        await k8s('images', 'export', at('exported.tar'), TWO);
        for (const name of (await k8s('images', 'ls', '-q')).split('\n')) {
          if (name.includes('/two')) await k8s('images', 'rm', '--sync', name);
        }
        const id = (await k8s('images', 'ls')).split('\n').filter((line) => line.startsWith('sha256:'));
        expect(id).toHaveLength(2);
        expect(await run(ONE)).toBe('OK one\n');
        await k8s('images', 'pull', '--plain-http', `${host}/library/three:1`);
        expect(await run(`${host}/library/three:1`, '/bin/cat', '/d/new')).toBe('new');
      }
      await using again = await startContainerd({ root });
      const { run } = uses(again);
      expect(await run(`${host}/library/three:1`)).toBe('OK three\n');
      expect(await run(ONE)).toBe('OK one\n');
    },
    MINUTE,
  );

  it(
    'is known to CRI by all three names, as kubelet asks for them',
    async () => {
      await world.must(['make', '--format=containerd', '--no-layers', `--tar=${at('cri.tar')}`, ONE, TWO]);
      await using containerd = await startContainerd({ root: await unpacked('cri', at('cri.tar')), cri: '' });
      for (const name of [ONE, TWO]) {
        const image = await found(containerd, name);
        const [digest = ''] = image.digests;
        expect(image.tags).toEqual([name]);
        expect(digest).toMatch(new RegExp(`^${name.replace(/:1$/, '')}@sha256:`));
        for (const other of [digest, image.id, name.replace('docker.io/library/', '')]) {
          expect((await found(containerd, other)).id).toBe(image.id);
        }
      }
      expect(await containerd.criImage('docker.io/library/never:1')).toBeUndefined();
    },
    MINUTE,
  );

  /** The CRI plugin is ready a moment after containerd. */
  async function found({ criImage }: ContainerdPeer, name: string): Promise<CriImage> {
    const all: CriImage[] = [];
    await until(async () => {
      const image = await criImage(name).catch(() => undefined);
      if (image) all.push(image);
      return all.length > 0;
    });
    return all[0] as CriImage;
  }

  it(
    'for k3s is an archive that a real containerd imports, with all its platforms',
    async () => {
      await world.must(['make', '--format=k3s', `--tar=${at('images.tar.zst')}`, ONE, TWO]);
      await using containerd = await startContainerd();
      const { k8s, run } = uses(containerd);
      // k3s unpacks zstd itself.
      await must('zstd', ['-qd', at('images.tar.zst'), '-o', at('images.tar')]);
      await k8s('images', 'import', '--all-platforms', at('images.tar'));
      expect(await run(ONE)).toBe('OK one\n');
      expect(await run(TWO)).toBe('OK two\n');
    },
    MINUTE,
  );

  it(
    'runs without the blobs of its layers, and pulls others on them',
    async () => {
      await world.must(['make', '--format=containerd', '--no-layers', `--tar=${at('small.tar')}`, TWO]);
      await using containerd = await startContainerd({ root: await unpacked('small', at('small.tar')) });
      const { k8s, run } = uses(containerd);
      expect(await run(TWO)).toBe('OK two\n');
      expect(await k8s('images', 'check')).toMatch(/ incomplete \(1\/4\) .* true/);
      await k8s('images', 'pull', '--plain-http', `${host}/library/three:1`);
      expect(await run(`${host}/library/three:1`)).toBe('OK three\n');
      expect(await run(TWO)).toBe('OK two\n');
    },
    MINUTE,
  );

  it.skipIf(mounts.missing)(
    `can be one file system for several, each with a small part of its own${mounts.why}`,
    async () => {
      await world.must(['make', '--format=containerd-squashfs', `--tar=${at('store.squashfs')}`, ONE, TWO]);
      await mkdir(at('mounted'));
      await must('mount', ['-t', 'squashfs', '-o', 'ro,loop', at('store.squashfs'), at('mounted')]);
      try {
        const roots = await Promise.all(['vm1', 'vm2'].map((name) => unpacked(name, at('mounted/containerd.tar'))));
        // On a VM the store is at this path; here only the links are followed there.
        for (const root of roots) {
          await must('sh', [
            '-c',
            `cd '${root}' && find . -type l | while read -r one; do ln -sfn "$(readlink "$one" | sed 's|^${SHARED_AT}|${at('mounted')}|')" "$one"; done`,
          ]);
        }
        await using first = await startContainerd({ root: roots[0] as string });
        await using second = await startContainerd({ root: roots[1] as string });
        const [one, other] = [uses(first), uses(second)];
        expect(await Promise.all([one.run(ONE), other.run(TWO, '/bin/ls', '/d')])).toEqual(['OK one\n', 'new\n']);
        for (const name of (await one.k8s('images', 'ls', '-q')).split('\n')) {
          if (name.includes('/two')) await one.k8s('images', 'rm', '--sync', name);
        }
        expect(await one.run(ONE)).toBe('OK one\n');
        expect(await other.run(TWO)).toBe('OK two\n');
        await one.k8s('images', 'pull', '--plain-http', `${host}/library/three:1`);
        expect(await one.run(`${host}/library/three:1`)).toBe('OK three\n');
      } finally {
        await must('umount', ['-l', at('mounted')]);
      }
    },
    MINUTE,
  );
});
