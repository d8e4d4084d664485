// `images serve`: shutdown while clients are active, and the health check.
import { once } from 'node:events';
import { rename, rm } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { buildImage, pushImage, randomLayer } from '../fixtures/image.ts';
import { until } from '../peers/process.ts';
import { newWorld, type World } from '../peers/program.ts';
import { freePort } from '../peers/temporary.ts';

async function serve(world: World) {
  const port = await freePort();
  const child = world.startImages(['serve', `--listen=127.0.0.1:${port}`]);
  onTestFinished(() => void child.kill('SIGKILL'));
  let said = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    said += chunk.toString();
  });
  await until(async () => said.includes('serving'));
  return { child, port, url: `http://127.0.0.1:${port}`, said: () => said };
}

function say(port: number, text: string): Socket {
  const socket = connect(port, '127.0.0.1');
  onTestFinished(() => void socket.destroy());
  socket.on('error', () => undefined);
  socket.pause();
  socket.write(text);
  return socket;
}

const health = async (url: string) => {
  const answer = await fetch(`${url}/healthz`);
  return `${answer.status} ${(await answer.text()).trim().replace(/ \(since .*\)/, '')}`;
};

describe('images serve', () => {
  it.each(['SIGTERM', 'SIGINT'] as const)('ends soon after %s, whatever its clients are doing', async (signal) => {
    await using world = await newWorld();
    const { child, port, url } = await serve(world);
    const image = buildImage({ layers: [randomLayer('large', 30_000_000)] });
    await pushImage(url, 'a/b:1', image);
    const [, layer] = image.blobs;
    const upload = new URL(
      (await fetch(`${url}/v2/a/b/blobs/uploads/`, { method: 'POST' })).headers.get('location') ?? '',
      url,
    );
    const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`;
    say(port, '');
    say(port, 'GET /v2/ HT');
    say(port, get('/v2/'));
    say(port, get(`/v2/a/b/blobs/${layer?.digest}`));
    say(port, get('/v2/a/b/manifests/1').repeat(20_000));
    say(port, `PATCH ${upload.pathname} HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n${'x'.repeat(500_000)}`);
    say(port, 'PUT /v2/a/b/manifests/2 HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{');
    await delay(300);
    child.kill(signal);
    // Shutdown takes half a second; if it waited for these clients, it would take minutes, more than a test may.
    await once(child, 'close');
    expect(child.exitCode).toBe(0);
    expect((await world.images(['lreg_status'])).status).toBe(1);
  });

  it('is healthy as long as its store is there, and tells lreg_status', async () => {
    await using world = await newWorld();
    const { url, said } = await serve(world);
    expect(await health(url)).toBe('200 ok');
    expect((await world.images(['lreg_status'])).stdout).toMatch(/^health {4}ok$/m);
    await rename(world.data, `${world.data}.gone`);
    await until(async () => (await health(url)) === '503 pulls: the registry cannot use its own store');
    expect(said()).toMatch(/ERROR: GET \/healthz: the store is not there any more \[/);
    await rm(world.data, { recursive: true, force: true });
    await rename(`${world.data}.gone`, world.data);
    await until(async () => (await health(url)) === '200 ok');
    expect(JSON.parse(await world.must(['lreg_status', '--json']))).toMatchObject({
      running: true,
      health: 'ok',
      healthChecks: [
        { name: 'pulls', ok: true, since: expect.stringMatching(/^20..-/) },
        { name: 'pushes', ok: true },
        { name: 'quota', ok: true },
        { name: 'clock', ok: true },
      ],
    });
    expect(await (await fetch(`${url}/readyz`)).text()).toBe('ok\n');
  });

  it('takes names for pages of its own, and refuses what is none', async () => {
    await using world = await newWorld();
    for (const name of ['http://x', 'a/b', 'x:5000', '..']) {
      const { status, stderr } = await world.images(['serve', `--name=${name}`]);
      expect(status, name).toBe(2);
      expect(stderr, name).toContain(`ERROR: not a name of a host [${name}]\n`);
    }
    const port = await freePort();
    await world.must(['lreg_start', `--listen=127.0.0.1:${port}`, '--name=registry.lan']);
    try {
      const from = async (origin: string) =>
        (await fetch(`http://127.0.0.1:${port}/v2/`, { headers: { Origin: origin } })).status;
      expect(await from(`http://127.0.0.1:${port}`)).toBe(200);
      expect(await from('http://attacker.example')).toBe(403);
    } finally {
      await world.must(['lreg_stop']);
    }
  });
});
