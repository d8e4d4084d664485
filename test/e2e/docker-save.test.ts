import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildImage, busyboxLayer } from '../fixtures/image.ts';
import { writeLayout } from '../fixtures/layout.ts';
import { startDockerd } from '../peers/dockerd.ts';
import { needs } from '../peers/find.ts';
import { must, run } from '../peers/process.ts';
import { newWorld, ROOT, type World } from '../peers/program.ts';
import { LOOKED } from './testing/looked.ts';

describe('images docker_save', () => {
  let world: World;
  beforeAll(async () => {
    world = await newWorld();
    const layout = await writeLayout(join(world.path, 'layout'), {
      looked: LOOKED,
      box: buildImage({ layers: [busyboxLayer()] }),
    });
    await world.must(['copy', `oci:${layout}:looked`, 'looked:1']);
    await world.must(['lreg_upload', '--tag=quay.io/team/box:2', `oci:${layout}:box`]);
  });
  afterAll(() => world[Symbol.asyncDispose]());

  it('writes each image under its full name, to a file or to stdout', async () => {
    const file = join(world.path, 'save.tar');
    const names = 'docker.io/library/looked:1\nquay.io/team/box:2\n';
    const images = ['looked:1', 'quay.io/team/box:2', 'docker.io/looked:1'];
    expect(await world.images(['docker_save', `--output=${file}`, ...images])).toMatchObject({ status: 0, stdout: '' });
    expect(await must('tar', ['tf', file])).toBe(names);
    const script = `"$0" docker_save --output=- looked:1 quay.io/team/box:2 | tar t`;
    expect((await run('bash', ['-c', script, `${ROOT}/bin/images`], { env: world.env })).stdout).toBe(names);
  });

  it('writes an archive that lreg_upload, copy and make can read, also repacked and compressed', async () => {
    const file = join(world.path, 'again.tar');
    await world.must(['docker_save', `--output=${file}`, 'looked:1', 'quay.io/team/box:2']);
    await must(
      'bash',
      ['-c', 'mkdir u && cd u && tar xf ../again.tar && tar czf ../again.tar.gz ./docker.io ./quay.io'],
      {
        cwd: world.path,
      },
    );
    const listed = await world.must(['make', `--list=${file}`]);
    for (const name of ['docker.io/library/looked:1', 'quay.io/team/box:2']) expect(listed).toContain(name);
    expect((await world.images(['make', `--check=${file}`])).status).toBe(0);
    for (const location of [file, `${file}.gz`]) {
      await using other = await newWorld();
      await other.must(['lreg_upload', `docker-archive:${location}`]);
      expect(await other.must(['lreg_ls', '--hosts'])).toBe(
        'docker.io/library/looked:\n  ["1"]\nquay.io/team/box:\n  ["2"]\n',
      );
      const { Digest } = JSON.parse(await other.must(['lreg_inspect', 'looked:1']));
      expect(Digest).toBe(LOOKED.manifest.digest);
      await other.must(['copy', `docker-archive:${location}:quay.io/team/box:2`, 'only:1']);
      const absent = await other.images(['copy', `docker-archive:${location}:nowhere:1`, 'none:1']);
      expect(absent.stderr).toContain('It has docker.io/library/looked:1, quay.io/team/box:2.');
    }
  });

  it('names an image without a name after its own archive', async () => {
    const [digest, file] = [LOOKED.manifest.digest, join(world.path, 'by-digest.tar')];
    await world.must(['docker_save', `--output=${file}`, `looked@${digest}`]);
    await using other = await newWorld();
    await other.must(['lreg_upload', `docker-archive:${file}`]);
    expect((await other.images(['lreg_isloaded', `looked@${digest}`])).status).toBe(0);
  });

  it('names the damaged archive inside another one', async () => {
    const directory = join(world.path, 'damaged/docker.io/library');
    await mkdir(directory, { recursive: true });
    await writeFile(join(directory, 'looked:1'), 'no archive'.repeat(100));
    await must('tar', ['cf', 'damaged.tar', '-C', 'damaged', 'docker.io'], { cwd: world.path });
    const { status, stderr } = await world.images(['lreg_upload', 'docker-archive:damaged.tar']);
    expect({ status, stderr }).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('docker-archive:damaged.tar, in docker.io/library/looked:1'),
    });
  });

  it('writes nothing if an image is missing, or no file is named', async () => {
    const file = join(world.path, 'none.tar');
    const lacking = await world.images(['docker_save', `--output=${file}`, 'looked:1', 'nowhere:1']);
    expect(lacking).toMatchObject({
      status: 1,
      stdout: '',
      stderr: expect.stringMatching(/^ERROR: no such image \[nowhere:1\]\n.+\n$/),
    });
    expect(existsSync(file)).toBe(false);
    expect(await world.images(['docker_save', 'looked:1'])).toMatchObject({ status: 2 });
    const nameless = await world.images(['docker_save', `--output=${file}`, `oci:${world.path}/layout:looked`]);
    expect(nameless).toMatchObject({ status: 2 });
  });

  it.skipIf(needs('root', 'dockerd', 'docker').missing)(
    `gives archives that Docker loads and that hold the same image${needs('root', 'dockerd', 'docker').why}`,
    async () => {
      await using docker = await startDockerd();
      const file = join(world.path, 'save.tar');
      await world.must(['docker_save', `--output=${file}`, 'looked:1', 'quay.io/team/box:2']);
      for (const name of ['docker.io/library/looked:1', 'quay.io/team/box:2']) {
        await must('bash', ['-c', 'tar xOf "$0" "$1" | docker load', file, name], {
          env: { DOCKER_HOST: docker.host },
        });
      }
      const id = await docker.docker(['inspect', '-f', '{{.Id}}', 'looked:1']);
      expect(id.trim()).toBe(LOOKED.blobs[0]?.digest);
      expect(
        await docker.docker(['run', '--rm', '--network=none', 'quay.io/team/box:2', 'cat', '/etc/passwd']),
      ).toContain('root');
      // The daemon as the source.
      await world.must(['docker_save', `--output=${file}`, 'quay.io/team/box:2'], {
        env: { DOCKER_HOST: docker.host },
      });
      expect(await must('tar', ['tf', file])).toBe('quay.io/team/box:2\n');
    },
  );
});
