import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { writeLayout } from '../fixtures/layout.ts';
import { startDockerd } from '../peers/dockerd.ts';
import { needs } from '../peers/find.ts';
import { newWorld } from '../peers/program.ts';
import { LOOKED } from './testing/looked.ts';

describe('images lreg_upload', () => {
  it('leaves the host out of the name, and nothing else, unless it is to stay', async () => {
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

  it('asks for a name where the image has none', async () => {
    await using world = await newWorld();
    const layout = await writeLayout(join(world.path, 'layout'), { app: LOOKED });
    const { status, stderr } = await world.images(['lreg_upload', `oci:${layout}:app`]);
    expect(status).toBe(2);
    expect(stderr).toMatch(
      /^ERROR: it is not said what the image is to be called .*\nName it with --tag=NAME:TAG\.\n$/,
    );
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
