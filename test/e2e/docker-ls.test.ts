import { connect, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildImage, busyboxLayer } from '../fixtures/image.ts';
import { writeLayout } from '../fixtures/layout.ts';
import { type DockerPeer, startDockerd } from '../peers/dockerd.ts';
import { needs } from '../peers/find.ts';
import { must } from '../peers/process.ts';
import { newWorld, type World } from '../peers/program.ts';
import { LOOKED, TOP } from './testing/looked.ts';

const { missing, why } = needs('root', 'dockerd', 'docker', 'tar');

describe.skipIf(missing)(`images docker_ls, docker_ls_layers and docker_save_layers${why}`, () => {
  let world: World;
  let docker: DockerPeer;
  let env: { readonly DOCKER_HOST: string };
  beforeAll(async () => {
    [world, docker] = [await newWorld(), await startDockerd()];
    env = { DOCKER_HOST: docker.host };
    const layout = await writeLayout(join(world.path, 'layout'), {
      looked: LOOKED,
      other: buildImage({ layers: [busyboxLayer()] }),
    });
    await world.must(['copy', `oci:${layout}:looked`, 'docker-daemon:looked:1'], { env });
  });
  afterAll(async () => {
    await docker[Symbol.asyncDispose]();
    await world[Symbol.asyncDispose]();
  });

  it('lists what tar lists of an exported container, sorted, and leaves no container', async () => {
    const id = (await docker.docker(['create', 'looked:1', 'x'])).trim();
    const file = join(world.path, 'export.tar');
    await docker.docker(['export', '-o', file, id]);
    await docker.docker(['rm', id]);
    const listed = (await must('bash', ['-c', 'tar tf "$1" | LC_ALL=C sort', 'bash', file])).split('\n');
    const ofContainer = /^(?:\.dockerenv|dev\/.*|proc\/|sys\/|etc\/(?:hosts|hostname|resolv\.conf|mtab))$/;
    expect((await world.must(['docker_ls', 'looked:1'], { env })).split('\n')).toEqual(
      listed.filter((name) => !ofContainer.test(name)),
    );
    expect(await docker.docker(['ps', '-aq'])).toBe('');
  });

  it('lists the names of each layer, and gives the files of those that are named so', async () => {
    const text = await world.must(['docker_ls_layers', 'looked:1'], { env });
    const [, , top = ''] = text.split('=== Layer; ');
    expect(top).toBe(`${TOP.diffId.slice(7)}\netc/.wh.gone\netc/passwd\nnew/\nnew/odd\\033[31m\\nname\n`);
    const file = join(world.path, 'layers.tar');
    for (const names of [['2'], [TOP.diffId], [TOP.diffId.slice(7, 17)]]) {
      await world.must(['docker_save_layers', `--output=${file}`, 'looked:1', ...names], { env });
      expect(await must('tar', ['tf', file])).toBe('etc/.wh.gone\netc/passwd\nnew/\nnew/odd\\033[31m\\nname\n');
    }
    await world.must(['docker_save_layers', `--output=${file}`, 'looked:1', '1', '2'], { env });
    expect((await must('tar', ['tf', file])).split('\n')).toHaveLength(11);
  });

  it('asks the daemon before the store, ls the store before the daemon', async () => {
    await world.must(['copy', `oci:${world.path}/layout:other`, 'looked:1']);
    expect(await world.must(['docker_ls', 'looked:1'], { env })).toContain('new/odd');
    expect(await world.must(['ls', 'looked:1'], { env })).toContain(' tmp');
    expect(await world.must(['docker_ls', 'looked:1'])).toContain('bin/busybox');
    await world.must(['lreg_rm', 'looked:1']);
  });

  it('does not have the daemon save an image that the store holds', async () => {
    await world.must(['lreg_upload', 'looked:1'], { env });
    const asked: string[] = [];
    const path = join(world.path, 'watched.sock');
    const server = await watch(path, docker.host.replace('unix://', ''), asked);
    // With an empty cache.
    const watched = { DOCKER_HOST: `unix://${path}`, XDG_CACHE_HOME: join(world.path, 'other-cache') };
    expect(await world.must(['docker_ls', 'looked:1'], { env: watched })).toContain('new/odd');
    expect(asked.some((path) => path.includes('/images/'))).toBe(true);
    expect(asked.filter((path) => path.endsWith('/get') || path.includes('/get?'))).toEqual([]);
    await world.must(['docker_ls', 'docker-daemon:looked:1'], { env: watched });
    expect(asked.filter((path) => path.endsWith('/get') || path.includes('/get?'))).toHaveLength(1);
    server.close();
  });
});

/** A socket that forwards to the daemon's, and records the paths of requests. */
async function watch(path: string, to: string, asked: string[]): Promise<Server> {
  const server = createServer((client) => {
    const daemon = connect(to);
    client.on('data', (chunk) => {
      for (const [, path = ''] of chunk.toString('latin1').matchAll(/^(?:GET|HEAD|POST) (\S+) HTTP/gm))
        asked.push(path);
      daemon.write(chunk);
    });
    daemon.pipe(client);
    client.on('close', () => daemon.destroy());
    for (const socket of [client, daemon]) socket.on('error', () => undefined);
  });
  await new Promise<void>((done) => server.listen(path, done));
  return server;
}
