// `images lreg_stop` and signals to `serve`: at once, or when requests have ended.
import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { expect, it, onTestFinished } from 'vitest';
import { buildImage, pushImage, randomLayer } from '../fixtures/image.ts';
import { until } from '../peers/process.ts';
import { newWorld, type World } from '../peers/program.ts';
import { freePort } from '../peers/temporary.ts';

const IMAGE = buildImage({ layers: [randomLayer('large', 30_000_000)] });

/** A download of which the client has read the beginning. */
async function download(base: string): Promise<IncomingMessage> {
  const [response] = (await once(get(`${base}/v2/a/b/blobs/${IMAGE.blobs[1]?.digest}`), 'response')) as [
    IncomingMessage,
  ];
  response.on('error', () => undefined);
  await once(response, 'readable');
  response.read(1);
  return response;
}

async function rest(response: IncomingMessage): Promise<number> {
  let bytes = 1;
  for await (const chunk of response) bytes += (chunk as Buffer).length;
  return bytes;
}

const isRefused = async (base: string) =>
  await fetch(`${base}/v2/`).then(
    () => false,
    () => true,
  );

async function serve(world: World, ...options: readonly string[]) {
  const port = await freePort();
  const child = world.startImages(['serve', `--listen=127.0.0.1:${port}`, ...options]);
  onTestFinished(() => void child.kill('SIGKILL'));
  let said = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    said += chunk.toString();
  });
  await until(async () => said.includes('serving'));
  const base = `http://127.0.0.1:${port}`;
  await pushImage(base, 'a/b:1', IMAGE);
  return { child, base, said: () => said };
}

it('lreg_stop --drain lets a download end, and refuses new connections meanwhile', async () => {
  await using world = await newWorld();
  const { base } = await world.startRegistry();
  await pushImage(base, 'a/b:1', IMAGE);
  const response = await download(base);
  const stopped = world.images(['lreg_stop', '--drain']);
  await until(() => isRefused(base));
  expect((await world.images(['lreg_status'])).status).toBe(0);
  expect(await rest(response)).toBe(IMAGE.blobs[1]?.bytes.length);
  expect(await stopped).toMatchObject({ status: 0 });
  expect((await world.images(['lreg_status'])).status).toBe(1);
});

it('lreg_stop --drain=AGE ends what takes longer', async () => {
  await using world = await newWorld();
  const { base } = await world.startRegistry();
  await pushImage(base, 'a/b:1', IMAGE);
  const response = await download(base);
  expect((await world.images(['lreg_stop', '--drain=0'])).status).toBe(0);
  await expect(rest(response)).rejects.toThrow();
});

it('serve --drain lets a download end after SIGTERM; a second signal ends it', async () => {
  await using world = await newWorld();
  for (const isPatient of [true, false]) {
    const { child, base, said } = await serve(world, '--drain=10m');
    const ended = once(child, 'exit');
    const response = await download(base);
    child.kill('SIGTERM');
    await until(() => isRefused(base));
    await until(async () =>
      said().includes('stopping when requests have ended: 1 under way; a second signal ends them'),
    );
    if (isPatient) expect(await rest(response)).toBe(IMAGE.blobs[1]?.bytes.length);
    else child.kill('SIGTERM');
    expect(await ended).toEqual([0, null]);
    if (!isPatient) await expect(rest(response)).rejects.toThrow();
  }
});
