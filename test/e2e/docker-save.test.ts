import { existsSync } from 'node:fs';
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

  it('writes nothing where an image is lacking, or the file is not named', async () => {
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
      // And from the daemon itself.
      await world.must(['docker_save', `--output=${file}`, 'quay.io/team/box:2'], {
        env: { DOCKER_HOST: docker.host },
      });
      expect(await must('tar', ['tf', file])).toBe('quay.io/team/box:2\n');
    },
  );
});
