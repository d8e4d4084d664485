// Other clients against `images serve`: skopeo, podman and docker push images and pull the same images back.
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { buildImage, buildIndex, busyboxLayer, type FixtureImage, pushImage, randomLayer } from '../fixtures/image.ts';
import { startDockerd } from '../peers/dockerd.ts';
import { needs } from '../peers/find.ts';
import { must, stop, until } from '../peers/process.ts';
import { newWorld } from '../peers/program.ts';
import { freePort, temporaryDirectory } from '../peers/temporary.ts';

const PLAIN = ['--src-tls-verify=false', '--dest-tls-verify=false'];

/** `images serve` in the foreground on a free port. */
async function serve() {
  const world = await newWorld();
  const port = await freePort();
  const host = `127.0.0.1:${port}`;
  const child = world.startImages(['serve', `--listen=${host}`]);
  child.stdout?.resume();
  child.stderr?.resume();
  await until(async () => (await fetch(`http://${host}/v2/`)).ok);
  return {
    world,
    host,
    base: `http://${host}`,
    [Symbol.asyncDispose]: async () => {
      await stop(child);
      await world[Symbol.asyncDispose]();
    },
  };
}

const skopeo = needs('skopeo');
it.skipIf(skopeo.missing)(`skopeo copies images and indexes in and out unchanged${skopeo.why}`, async () => {
  await using registry = await serve();
  await using directory = await temporaryDirectory('skopeo');
  const images: Readonly<Record<string, FixtureImage>> = {
    oci: buildImage({ layers: [randomLayer('skopeo oci', 300_000)] }),
    docker: buildImage({ layers: [randomLayer('skopeo docker', 300_000)], kind: 'docker' }),
    index: buildIndex([
      buildImage({ layers: [randomLayer('skopeo amd64', 200_000)] }),
      buildImage({ layers: [randomLayer('skopeo arm64', 200_000)], architecture: 'arm64' }),
    ]),
  };
  for (const [name, image] of Object.entries(images)) {
    await pushImage(registry.base, `from/${name}:1`, image);
    const out = join(directory.path, name);
    await must('skopeo', [
      'copy',
      '-q',
      '--all',
      '--preserve-digests',
      ...PLAIN,
      `docker://${registry.host}/from/${name}:1`,
      `dir:${out}`,
    ]);
    await must('skopeo', [
      'copy',
      '-q',
      '--all',
      '--preserve-digests',
      ...PLAIN,
      `dir:${out}`,
      `docker://${registry.host}/to/${name}:1`,
    ]);
    const answer = await fetch(`${registry.base}/v2/to/${name}/manifests/1`, {
      headers: { accept: image.manifest.mediaType },
    });
    expect(Buffer.from(await answer.arrayBuffer()).equals(image.manifest.bytes), name).toBe(true);
  }
  const tags = JSON.parse(
    await must('skopeo', ['list-tags', '--tls-verify=false', `docker://${registry.host}/to/oci`]),
  );
  expect(tags.Tags).toEqual(['1']);
  await must('skopeo', ['delete', '--tls-verify=false', `docker://${registry.host}/to/oci:1`]);
  expect((await fetch(`${registry.base}/v2/to/oci/manifests/1`)).status).toBe(404);
});

const podman = needs('podman', 'root', 'busybox');
it.skipIf(podman.missing)(`podman pulls and pushes${podman.why}`, async () => {
  await using registry = await serve();
  await using directory = await temporaryDirectory('podman');
  await pushImage(registry.base, 'tools/hello:1', buildImage({ layers: [busyboxLayer()] }));
  const policy = join(directory.path, 'policy.json');
  await writeFile(policy, '{"default":[{"type":"insecureAcceptAnything"}]}');
  for (const name of ['root', 'run', 'home']) await mkdir(join(directory.path, name));
  const env = { HOME: join(directory.path, 'home'), XDG_RUNTIME_DIR: join(directory.path, 'run') };
  const run = (...args: readonly string[]) =>
    must(
      'podman',
      [
        '--root',
        join(directory.path, 'root'),
        '--runroot',
        join(directory.path, 'run'),
        '--storage-driver=vfs',
        ...args,
      ],
      { env },
    );
  const image = `${registry.host}/tools/hello:1`;
  await run('pull', '-q', '--signature-policy', policy, '--tls-verify=false', image);
  await run('push', '-q', '--signature-policy', policy, '--tls-verify=false', image, `${registry.host}/tools/pushed:1`);
  await run('rmi', '-f', image);
  await run('pull', '-q', '--signature-policy', policy, '--tls-verify=false', `${registry.host}/tools/pushed:1`);
  expect(await run('images', '--format', '{{.Repository}}:{{.Tag}}')).toContain(`${registry.host}/tools/pushed:1`);
});

const docker = needs('root', 'dockerd', 'docker', 'busybox');
it.skipIf(docker.missing)(`docker pulls and pushes${docker.why}`, async () => {
  await using registry = await serve();
  await pushImage(registry.base, 'tools/hello:1', buildImage({ layers: [busyboxLayer()], kind: 'docker' }));
  await using engine = await startDockerd();
  const image = `${registry.host}/tools/hello:1`;
  await engine.docker(['pull', '-q', image]);
  await engine.docker(['tag', image, `${registry.host}/other/hello:2`]);
  await engine.docker(['push', '-q', `${registry.host}/other/hello:2`]);
  await engine.docker(['rmi', '-f', image, `${registry.host}/other/hello:2`]);
  expect(await engine.docker(['pull', '-q', `${registry.host}/other/hello:2`])).toContain('other/hello:2');
  const tags = await (await fetch(`${registry.base}/v2/other/hello/tags/list`)).json();
  expect(tags).toEqual({ name: 'other/hello', tags: ['2'] });
});
