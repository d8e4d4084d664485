import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type TemporaryDirectory, temporaryDirectory } from '../../../test/peers/temporary.ts';
import { daemonEndpoint } from './endpoint.ts';
import { hangingSocket } from './testing/fake-engine.ts';

const find = (env: Readonly<Record<string, string>>, home = '/nowhere') => daemonEndpoint({ env, home });

async function put(path: string, content: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, content);
}

/** The files that `docker context create NAME` writes. */
async function writeContext(home: TemporaryDirectory, name: string, docker: object, tls?: object): Promise<void> {
  const id = createHash('sha256').update(name).digest('hex');
  const directory = join(home.path, '.docker/contexts');
  await put(
    join(directory, 'meta', id, 'meta.json'),
    JSON.stringify({ Name: name, Metadata: {}, Endpoints: { docker } }),
  );
  for (const [file, text] of Object.entries(tls ?? {})) await put(join(directory, 'tls', id, 'docker', file), text);
}

describe('the address of the Docker daemon', () => {
  it.each([
    ['unix:///x/docker.sock', { socketPath: '/x/docker.sock' }],
    ['tcp://10.0.0.1', { url: { secure: false, host: '10.0.0.1:2375', path: '/' } }],
    ['tcp://10.0.0.1:1234/base', { url: { secure: false, host: '10.0.0.1:1234', path: '/base' } }],
    ['tcp://[fd00::1]:1234', { url: { secure: false, host: '[fd00::1]:1234', path: '/' } }],
    ['tcp://:1234', { url: { secure: false, host: 'localhost:1234', path: '/' } }],
    ['build.example:1234', { url: { secure: false, host: 'build.example:1234', path: '/' } }],
    ['https://x', { url: { secure: true, host: 'x:2376', path: '/' }, tls: { verify: true } }],
  ])('is that of $DOCKER_HOST: %s', async (DOCKER_HOST, endpoint) => {
    expect(await find({ DOCKER_HOST })).toEqual({ address: DOCKER_HOST, named: true, ...endpoint });
  });

  it.each(['ssh://root@host', 'npipe:////./pipe/docker_engine', 'fd://'])('is refused: %s', async (DOCKER_HOST) => {
    await expect(find({ DOCKER_HOST })).rejects.toMatchObject({ code: 'UNSUPPORTED', hint: expect.any(String) });
  });

  it('takes certificates from $DOCKER_CERT_PATH, or from where the docker command keeps them', async () => {
    await using home = await temporaryDirectory('docker-home');
    for (const name of ['ca', 'cert', 'key']) await put(join(home.path, '.docker', `${name}.pem`), name);
    await put(join(home.path, 'certs/ca.pem'), 'other');
    const env = { DOCKER_HOST: 'tcp://x', DOCKER_TLS_VERIFY: '1' };
    expect(await find(env, home.path)).toMatchObject({
      url: { secure: true, host: 'x:2376' },
      tls: { ca: 'ca', cert: 'cert', key: 'key', verify: true },
    });
    const elsewhere = { ...env, DOCKER_CERT_PATH: join(home.path, 'certs') };
    expect(await find(elsewhere, home.path)).toMatchObject({ tls: { ca: 'other', verify: true } });
    expect(await find({ DOCKER_HOST: 'tcp://x', DOCKER_TLS: '1' }, home.path)).toMatchObject({
      tls: { verify: false },
    });
  });

  it('is the current context’s, with its own certificates', async () => {
    await using home = await temporaryDirectory('docker-home');
    await writeContext(home, 'lab', { Host: 'tcp://lab:2376' }, { 'ca.pem': 'CA', 'key.pem': 'KEY', 'cert.pem': 'C' });
    await writeContext(home, 'near', { Host: 'unix:///near.sock' });
    await put(join(home.path, '.docker/config.json'), JSON.stringify({ currentContext: 'lab' }));
    expect(await find({}, home.path)).toMatchObject({
      url: { secure: true, host: 'lab:2376' },
      tls: { ca: 'CA', key: 'KEY', cert: 'C', verify: true },
    });
    expect(await find({ DOCKER_CONTEXT: 'near' }, home.path)).toMatchObject({ socketPath: '/near.sock' });
    expect(await find({ DOCKER_HOST: 'unix:///this.sock' }, home.path)).toMatchObject({ socketPath: '/this.sock' });
    await expect(find({ DOCKER_CONTEXT: 'far' }, home.path)).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: 'there is no docker context with an address [far]',
    });
  });

  it('is a usual socket if none is named, also of a rootless daemon', async () => {
    await using home = await temporaryDirectory('docker-home');
    const socket = join(home.path, 'docker.sock');
    await using _daemon = await hangingSocket(socket);
    const found = await find({ XDG_RUNTIME_DIR: home.path }, home.path);
    // If this machine has a daemon of its own, its socket is found instead.
    expect(found).toMatchObject({ named: false, socketPath: expect.stringMatching(/docker\.sock$/) });
  });
});
