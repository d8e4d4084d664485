import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, readlink, stat, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { attestation, buildImage, buildIndex, randomLayer } from '../fixtures/image.ts';
import { writeLayout } from '../fixtures/layout.ts';
import { startDockerRegistry } from '../peers/docker-registry.ts';
import { startDockerd } from '../peers/dockerd.ts';
import { needs } from '../peers/find.ts';
import { must, run, until } from '../peers/process.ts';
import { newWorld, ROOT, type World } from '../peers/program.ts';
import { LOOKED } from './testing/looked.ts';

const ARM = buildImage({ layers: [randomLayer('copy arm', 10_000)], architecture: 'arm64' });
const BOTH = buildIndex([LOOKED, ARM, attestation('{}')]);
const DOCKERS = buildImage({ layers: [randomLayer('copy docker', 10_000)], kind: 'docker' });

const peers = needs('docker-registry', 'skopeo');

describe('images copy', () => {
  let world: World;
  let layout: string;
  beforeAll(async () => {
    world = await newWorld();
    layout = await writeLayout(join(world.path, 'layout'), { looked: LOOKED, both: BOTH, dockers: DOCKERS });
  });
  afterAll(() => world[Symbol.asyncDispose]());

  const digestAt = async (location: string) => JSON.parse(await world.must(['inspect', '--json', location])).digest;

  it('goes to locations with paths of any form, below the working directory too', async () => {
    const cwd = join(world.path, 'names');
    await mkdir(join(cwd, 'in'), { recursive: true });
    for (const location of ['oci:o', 'oci:./p', 'oci:in/../q', 'oci:r/', 'oci:in/deep/s', 'dir:d', 'oci-archive:f']) {
      await world.must(['copy', `oci:${layout}:looked`, location], { cwd });
    }
    await world.must(['copy', `oci:${layout}:looked`, 'oci:.'], { cwd: join(cwd, 'o') });
    const copied = await world.must(['copy', `oci:${layout}:looked`, 'docker-archive:g'], { cwd });
    expect(copied).toBe('');
    expect((await readdir(cwd)).sort()).toEqual(['d', 'f', 'g', 'in', 'o', 'p', 'q', 'r']);
  });

  it('writes where symbolic links lead, also if nothing is there yet, and keeps the links', async () => {
    const cwd = join(world.path, 'links');
    await mkdir(join(cwd, 'real'), { recursive: true });
    const source = `oci:${layout}:looked`;
    const writes = [
      ['copy', source, 'oci:LINK'],
      ['copy', source, 'dir:LINK'],
      ['copy', source, 'oci-archive:LINK'],
      ['copy', source, 'docker-archive:LINK'],
      ['lreg_upload', '--data=LINK', '--tag=x:1', source],
      ['docker_export', '--output=LINK', source],
      ['make', '--tar=LINK', source],
    ];
    for (const [at, words] of writes.entries()) {
      const link = `link-${at}`;
      await symlink(`real/below/${at}`, join(cwd, link));
      await mkdir(join(cwd, 'real/below'), { recursive: true });
      await world.must(
        words.map((word) => word.replace('LINK', link)),
        { cwd },
      );
      expect(await readlink(join(cwd, link)), words.join(' ')).toBe(`real/below/${at}`);
      expect(existsSync(join(cwd, link)), words.join(' ')).toBe(true);
    }
    await symlink('circle', join(cwd, 'circle'));
    for (const location of ['oci:circle', 'dir:circle', 'oci-archive:circle']) {
      const { status, stderr } = await world.images(['copy', source, location], { cwd });
      expect({ status, stderr }).toMatchObject({ status: 1, stderr: expect.stringContaining('lead in a circle') });
    }
  });

  it('writes into a named pipe, and leaves no file in its place or beside it', async () => {
    const cwd = join(world.path, 'pipe');
    await mkdir(join(cwd, 'tmp'), { recursive: true });
    await must('mkfifo', ['pipe'], { cwd });
    const env = { TMPDIR: join(cwd, 'tmp') };
    for (const location of ['oci-archive:pipe', 'docker-archive:pipe']) {
      const reading = must('wc', ['-c', join(cwd, 'pipe')]);
      await world.must(['copy', `oci:${layout}:looked`, location], { cwd, env });
      expect(Number.parseInt(await reading, 10)).toBeGreaterThan(1000);
      const writing = world.startImages(['copy', `oci:${layout}:looked`, location], { cwd, env });
      // By now it usually waits for a reader. If not, it is interrupted earlier.
      await setTimeout(500);
      writing.kill('SIGTERM');
      await once(writing, 'exit');
    }
    const refused = await world.images(['make', '--format=squashfs', '--tar=pipe', `oci:${layout}:looked`], {
      cwd,
      env,
    });
    expect(refused.status).toBe(1);
    expect(await readdir(cwd)).toEqual(['pipe', 'tmp']);
    expect(await readdir(join(cwd, 'tmp'))).toEqual([]);
    expect((await stat(join(cwd, 'pipe'))).isFIFO()).toBe(true);
  });

  describe.skipIf(peers.missing)(`between transports${peers.why}`, () => {
    it('keeps digests from transport to transport, Docker manifests too, as skopeo sees them', async () => {
      await using registry = await startDockerRegistry();
      const at = (name: string) => join(world.path, 'trip', name);
      await mkdir(at(''));
      for (const [name, image] of Object.entries({ looked: LOOKED, dockers: DOCKERS, both: BOTH })) {
        const trip = [
          `docker://${registry.host}/trip/${name}:1`,
          `dir:${at(name)}`,
          `oci-archive:${at(`${name}.tar`)}:${name}`,
          `oci:${at(`${name}-layout`)}:${name}`,
        ];
        let from = `oci:${layout}:${name}`;
        for (const to of trip) {
          await world.must(['copy', '--platform=all', from, to]);
          from = to;
        }
        for (const location of trip) expect(await digestAt(location)).toBe(image.manifest.digest);
        const raw = await must('skopeo', ['inspect', '--raw', '--tls-verify=false', trip[0] as string]);
        expect(raw).toBe(Buffer.from(image.manifest.bytes).toString());
        expect(await world.must(['check', from])).not.toContain('WRONG');
      }
    });

    it('copies nothing twice, says what a copy would cost, and what was done', async () => {
      await using registry = await startDockerRegistry();
      const to = `docker://${registry.host}/again/looked:1`;
      const plan = JSON.parse(await world.must(['copy', '--dry-run', '--json', `oci:${layout}:looked`, to]));
      const bytes = LOOKED.blobs.reduce((sum, one) => sum + one.bytes.length, 0);
      expect(plan).toMatchObject({ dryRun: true, bytes: { toFetch: bytes, alreadyThere: 0 } });
      const first = JSON.parse(await world.must(['copy', '--json', `oci:${layout}:looked`, to]));
      expect(first).toMatchObject({
        images: [{ digest: LOOKED.manifest.digest }],
        bytes: { fetched: bytes },
        failed: [],
      });
      const second = JSON.parse(await world.must(['copy', '--json', `oci:${layout}:looked`, to]));
      expect(second.bytes).toEqual({ fetched: 0, alreadyThere: bytes });
    });
  });

  it.skipIf(needs('root', 'dockerd', 'docker', 'skopeo', 'umoci').missing)(
    `makes a layout of a daemon's image that skopeo and umoci read${needs('root', 'dockerd', 'docker', 'skopeo', 'umoci').why}`,
    async () => {
      await using docker = await startDockerd();
      const env = { DOCKER_HOST: docker.host };
      await world.must(['copy', `oci:${layout}:looked`, 'docker-daemon:example.com/looked:1'], { env });
      const made = join(world.path, 'of-daemon');
      await world.must(['copy', 'docker-daemon:example.com/looked:1', `oci:${made}:x`], { env });
      expect(JSON.parse(await must('skopeo', ['inspect', `oci:${made}:x`])).Layers).toHaveLength(2);
      await must('umoci', ['unpack', '--rootless', '--image', `${made}:x`, join(world.path, 'bundle')]);
      expect(await readFile(join(world.path, 'bundle/rootfs/etc/passwd'), 'utf8')).toBe('changed\n');
      expect(JSON.parse(await world.must(['inspect', '--json', `oci:${made}:x`])).id).toBe(LOOKED.blobs[0]?.digest);
    },
  );

  it('writes archives to stdout, and reads them from stdin', async () => {
    const script = `"$0" copy "oci:$1:looked" docker-archive:-:app:1 | "$0" cat docker-archive:-:app:1 etc/passwd`;
    const { stdout } = await run('bash', ['-c', script, `${ROOT}/bin/images`, layout], { env: world.env });
    expect(stdout).toBe('changed\n');
  });

  it.skipIf(needs('script').missing)(`sends no archive to a terminal${needs('script').why}`, async () => {
    const command = `${ROOT}/bin/images copy oci:${layout}:looked oci-archive:-`;
    const { status, stdout } = await run('script', ['-qec', command, '/dev/null'], { env: world.env });
    expect(status).toBe(2);
    expect(stdout).toContain('ERROR: The archive is not for a terminal');
  });

  it.each([
    ['copy', ['copy', '--json', 'LAYOUT', 'oci-archive:-'], '--json'],
    ['copy', ['copy', '--json', 'LAYOUT', 'docker-archive:/dev/stdout:app:1'], '--json'],
    ['make', ['make', '--json', '--tar=/dev/stdout', 'LAYOUT'], '--json'],
    ['mkimage', ['mkimage', '--tag=app:1', '--output=oci-archive:/proc/self/fd/1', '.'], "the image's name"],
  ])('never mixes an archive and an answer on stdout: %s %j', async (_, args, other) => {
    const words = args.map((word) => (word === 'LAYOUT' ? `oci:${layout}:looked` : word));
    const { status, stdout, stderr } = await world.images(words);
    expect(status).toBe(2);
    expect(stderr).toContain(`ERROR: both the archive and ${other} go to stdout [`);
    // Nothing, or the error as JSON, but no archive.
    expect(stdout === '' || JSON.parse(stdout).code === 'USAGE').toBe(true);
  });

  it('leaves no archive behind where the image turns out to be damaged', async () => {
    const damaged = await writeLayout(join(world.path, 'damaged'), { looked: LOOKED });
    const top = LOOKED.blobs[2]?.digest.slice(7) ?? '';
    await must('truncate', ['-s', '-5', join(damaged, 'blobs/sha256', top)]);
    const directory = join(world.path, 'out');
    await mkdir(directory);
    for (const location of ['docker-archive:out/x.tar:app:1', 'oci-archive:out/y.tar:app']) {
      const { status, stderr } = await world.images(['copy', `oci:${damaged}:looked`, location]);
      expect(status).toBe(1);
      expect(stderr).toMatch(/^ERROR: .*sha256:.*\n.+\n$/m);
    }
    expect(await readdir(directory)).toEqual([]);
  });

  it('leaves an archive as it was if it is killed while it adds an image; the next run adds it', async () => {
    const big = buildImage({ layers: [randomLayer('killed copy', 60_000_000)] });
    const from = await writeLayout(join(world.path, 'big'), { big });
    const directory = join(world.path, 'killed');
    await mkdir(directory);
    const file = join(directory, 'a.tar');
    await world.must(['copy', `oci:${layout}:looked`, `oci-archive:${file}:looked`]);
    const before = await readFile(file);
    const killed = world.startImages(['copy', `oci:${from}:big`, `oci-archive:${file}:big`]);
    await until(async () => {
      const names = (await readdir(directory)).filter((name) => name.startsWith('.a.tar.') && !name.includes('.lock'));
      const sizes = await Promise.all(names.map(async (name) => (await stat(join(directory, name))).size));
      return sizes.some((size) => size > 4_000_000);
    });
    killed.kill('SIGKILL');
    await once(killed, 'exit');
    expect((await readFile(file)).equals(before)).toBe(true);
    await world.must(['copy', `oci:${from}:big`, `oci-archive:${file}:big`]);
    for (const name of ['looked', 'big'])
      expect(await world.must(['check', `oci-archive:${file}:${name}`])).not.toContain('WRONG');
    expect((await readdir(directory)).filter((name) => name.includes('.lock'))).toEqual([]);
  });

  it('refuses impossible copies before anything is written', async () => {
    const index = await world.images([
      'copy',
      '--platform=all',
      `oci:${layout}:both`,
      'docker-archive:both.tar:both:1',
    ]);
    expect(index).toMatchObject({
      status: 1,
      stdout: '',
      stderr: expect.stringContaining('Choose with --platform: linux/amd64, linux/arm64.'),
    });
    expect(existsSync(join(world.path, 'both.tar'))).toBe(false);
    expect(await world.images(['copy', `oci:${layout}:looked`, 'containers-storage:x'])).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('`images make` writes such stores.'),
    });
    expect(await world.images(['copy', `oci:${layout}:looked`])).toMatchObject({ status: 2 });
  });
});
