import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { buildImage, randomLayer } from '../fixtures/image.ts';
import { blobFile, writeLayout } from '../fixtures/layout.ts';
import { startDockerd } from '../peers/dockerd.ts';
import { needs } from '../peers/find.ts';
import { must } from '../peers/process.ts';
import { newWorld } from '../peers/program.ts';
import { LOOKED } from './testing/looked.ts';

const TWO = buildImage({ layers: [randomLayer('upload two', 1000)] });
const ARM = buildImage({ layers: [randomLayer('upload arm', 1000)], architecture: 'arm64' });

describe('images lreg_upload', () => {
  it('leaves only the host out of the name, unless --include-host is given', async () => {
    await using world = await newWorld();
    const layout = await writeLayout(join(world.path, 'layout'), { app: LOOKED });
    const upload = (...options: readonly string[]) => world.must(['lreg_upload', ...options, `oci:${layout}:app`]);
    await upload('--tag=registry.local:5000/team/app:1.0');
    await upload('--tag=library/other:2', '--strip-host');
    await upload('--tag=registry.local/kept:3', '--include-host');
    expect(await world.must(['lreg_ls'])).toBe(
      'library/other:\n  ["2"]\nregistry.local/kept:\n  ["3"]\nteam/app:\n  ["1.0"]\n',
    );
    expect(await world.must(['lreg_ls', '--hosts'])).toContain('registry.local:5000/team/app:\n  ["1.0"]\n');
    expect(JSON.parse(await world.must(['lreg_inspect', 'team/app:1.0'])).Digest).toBe(LOOKED.manifest.digest);
  });

  it('asks for a name if the image has none', async () => {
    await using world = await newWorld();
    const layout = await writeLayout(join(world.path, 'layout'), { app: LOOKED });
    const { status, stderr } = await world.images(['lreg_upload', `oci:${layout}:app`]);
    expect(status).toBe(2);
    expect(stderr).toMatch(/^ERROR: the image needs a name .*\nName it with --tag=NAME:TAG\.\n$/);
  });

  it('puts all images of an archive or a layout into the registry, each under its names', async () => {
    await using world = await newWorld();
    const layout = await writeLayout(join(world.path, 'layout'), { app: LOOKED, two: TWO });
    await world.must(['lreg_upload', '--tag=quay.io/x/one:1', `oci:${layout}:app`]);
    await world.must(['lreg_upload', '--tag=registry.local:5000/two:2', `oci:${layout}:two`]);
    const digests = { 'quay.io/x/one:1': LOOKED.manifest.digest, 'registry.local:5000/two:2': TWO.manifest.digest };
    const locations = {
      'oci-archive': 'oci-archive:images.tar',
      'docker-archive': 'docker-archive:docker.tar',
      'oci-archive of docker': 'oci-archive:docker.tar',
    };
    for (const format of ['oci-archive', 'docker-archive'] as const) {
      const file = format === 'oci-archive' ? 'images.tar' : 'docker.tar';
      await world.must(['make', `--format=${format}`, `--tar=${file}`, 'quay.io/x/one:1', 'registry.local:5000/two:2']);
    }
    await world.must(['copy', 'quay.io/x/one:1', 'oci:both']);
    await world.must([
      'copy',
      'oci-archive:images.tar:registry.local:5000/two:2',
      'oci:both:registry.local:5000/two:2',
    ]);
    for (const location of [...Object.values(locations), 'oci:both']) {
      await using other = await newWorld();
      await other.must(['lreg_upload', location], { cwd: world.path });
      expect(await other.must(['lreg_ls', '--hosts']), location).toBe(
        'quay.io/x/one:\n  ["1"]\nregistry.local:5000/two:\n  ["2"]\n',
      );
      for (const [name, digest] of Object.entries(digests)) {
        expect(JSON.parse(await other.must(['lreg_inspect', name])).Digest, location).toBe(digest);
      }
      const named = await other.images(['lreg_upload', '--tag=app:1', location], { cwd: world.path });
      expect(named.status, location).toBe(1);
      expect(named.stderr, location).toMatch(/several images|there are 2 images/);
    }
  });

  it('uploads all of an archive or nothing, if an image has no name, is incomplete, or is for another platform', async () => {
    await using world = await newWorld();
    const layout = await writeLayout(join(world.path, 'layout'), { 'quay.io/a:1': LOOKED, short: LOOKED });
    const nameless = await world.images(['lreg_upload', `oci:${layout}`]);
    expect(nameless).toMatchObject({ status: 2, stderr: expect.stringContaining(`--tag=NAME:TAG oci:${layout}:@1`) });
    const platform = await writeLayout(join(world.path, 'arm'), { 'quay.io/a:1': LOOKED, 'quay.io/b:1': ARM });
    const other = await world.images(['lreg_upload', '--platform=linux/amd64', `oci:${platform}`]);
    expect(other).toMatchObject({ status: 1, stderr: expect.stringContaining('linux/arm64') });
    await rm(blobFile(platform, ARM.blobs[1] as { digest: string }));
    await must('tar', ['-cf', join(world.path, 'lacking.tar'), '-C', platform, '.']);
    for (const transport of ['oci-archive', 'docker-archive']) {
      const lacking = await world.images(['lreg_upload', `${transport}:lacking.tar`]);
      expect(lacking).toMatchObject({ status: 1, stderr: expect.stringContaining('quay.io/b:1') });
    }
    expect(await world.must(['lreg_isloaded', 'quay.io/c:1']).catch(() => 'no')).toBe('no');
    for (const name of ['quay.io/b:1', 'short:latest'])
      expect((await world.images(['lreg_isloaded', name])).status).toBe(1);
  });

  it('refuses an archive with two images of one name, and accepts one that lists an image twice', async () => {
    await using world = await newWorld();
    const layout = await writeLayout(join(world.path, 'layout'), { app: LOOKED, two: TWO });
    const file = join(world.path, 'archive.tar');
    for (const name of ['app', 'two']) {
      await world.must(['copy', `oci:${layout}:${name}`, `docker-archive:${file}:${name}:1`]);
    }
    const parts = join(world.path, 'parts');
    await mkdir(parts);
    await must('tar', ['-C', parts, '-xf', file]);
    const list = JSON.parse(await readFile(join(parts, 'manifest.json'), 'utf8'));
    const listed = async (items: unknown) => {
      await writeFile(join(parts, 'manifest.json'), JSON.stringify(items));
      await must('tar', ['-C', parts, '-cf', file, '.']);
    };
    // Docker's list and the layout in the same archive give the name `app:1` to different images.
    await listed([
      { ...list[0], RepoTags: list[1].RepoTags },
      { ...list[1], RepoTags: list[0].RepoTags },
    ]);
    for (const args of [
      ['lreg_upload', `docker-archive:${file}`],
      ['lreg_upload', `docker-archive:${file}:app:1`],
    ]) {
      const { status, stderr } = await world.images(args);
      expect(status, args[1]).toBe(1);
      expect(stderr, args[1]).toMatch(/^ERROR: (?:two|several) images are called .*app:1 \[docker-archive:/m);
    }
    expect((await world.images(['lreg_ls'])).stdout).toBe('');
    await listed([...list, list[0]]);
    await world.must(['lreg_upload', `docker-archive:${file}`]);
    expect(await world.must(['lreg_ls'])).toBe('library/app:\n  ["1"]\nlibrary/two:\n  ["1"]\n');
    await world.must(['lreg_upload', '--tag=again:1', `docker-archive:${file}:app:1`]);
  });

  it('uploads under all names of an image, and leaves out what only points to one', async () => {
    await using world = await newWorld();
    const layout = await writeLayout(join(world.path, 'layout'), { app: LOOKED });
    const [config, base, top] = LOOKED.blobs;
    const item = {
      Config: `blobs/${config?.digest.replace(':', '/')}`,
      RepoTags: ['a:1', 'quay.io/b:2', 'docker.io/library/a:1'],
      Layers: [base, top].map((layer) => `blobs/${layer?.digest.replace(':', '/')}`),
    };
    await writeFile(join(layout, 'manifest.json'), JSON.stringify([item]));
    await must('tar', ['-cf', join(world.path, 'named.tar'), '-C', layout, 'blobs', 'manifest.json']);
    await world.must(['lreg_upload', 'docker-archive:named.tar']);
    expect(await world.must(['lreg_ls'])).toBe('a:\n  ["1"]\nb:\n  ["2"]\n');
  });

  it.skipIf(needs('root', 'dockerd', 'docker').missing)(
    `takes what the Docker daemon has, to a registry that runs${needs('root', 'dockerd', 'docker').why}`,
    async () => {
      await using world = await newWorld();
      await using docker = await startDockerd();
      const env = { DOCKER_HOST: docker.host };
      const layout = await writeLayout(join(world.path, 'layout'), { app: LOOKED });
      const registry = await world.startRegistry();
      await world.must(['copy', `oci:${layout}:app`, 'docker-daemon:registry.local/team/app:1.0'], { env });
      await world.must(['lreg_upload', 'registry.local/team/app:1.0'], { env });
      await docker.docker(['rmi', 'registry.local/team/app:1.0']);
      await docker.docker(['pull', '-q', `${registry.host}/team/app:1.0`]);
      const id = await docker.docker(['inspect', '-f', '{{.Id}}', `${registry.host}/team/app:1.0`]);
      expect(id.trim()).toBe(LOOKED.blobs[0]?.digest);
    },
  );
});
