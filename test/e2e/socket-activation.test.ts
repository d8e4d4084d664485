// `images serve` as a service of systemd: sockets that it is given, and what it says of its state. Without a running systemd: its own tools do the same.
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { needs } from '../peers/find.ts';
import { run, start, until } from '../peers/process.ts';
import { newWorld, ROOT } from '../peers/program.ts';
import { freePort } from '../peers/temporary.ts';

const peers = needs('systemd-socket-activate', 'systemd-notify', 'socat', 'curl');

it.skipIf(peers.missing)(`serves on sockets that it is given, and tells systemd${peers.why}`, async () => {
  await using world = await newWorld();
  const [port, securePort] = [await freePort(), await freePort()];
  const told = join(world.path, 'told');
  const listener = start('socat', ['-u', `UNIX-RECV:${join(world.path, 'notify')}`, `OPEN:${told},creat,append`]);
  onTestFinished(() => void listener.kill('SIGKILL'));
  const child = start(
    'systemd-socket-activate',
    [
      `--listen=127.0.0.1:${port}`,
      `--listen=127.0.0.1:${securePort}`,
      '--fdname=http:https',
      ...Object.entries({ ...world.env, NOTIFY_SOCKET: join(world.path, 'notify') }).flatMap(([name, value]) =>
        value === undefined ? [] : [`--setenv=${name}=${value}`],
      ),
      join(ROOT, 'bin/images'),
      'serve',
      '--tls=auto',
    ],
    { env: world.env },
  );
  onTestFinished(() => void child.kill('SIGKILL'));
  let said = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    said += chunk.toString();
  });
  await until(async () => said.includes('Listening on'));
  // The first client starts it, and waits for it.
  expect((await fetch(`http://127.0.0.1:${port}/readyz`)).status).toBe(200);
  const secure = await run('curl', ['-sk', `https://127.0.0.1:${securePort}/healthz`]);
  expect(secure.stdout).toBe('ok\n');
  expect(said).toMatch(/serving .* at http:\/\/127\.0\.0\.1:\d+, https:\/\/127\.0\.0\.1:\d+/);
  const { addresses } = JSON.parse(await world.must(['lreg_status', '--json']));
  expect(addresses).toEqual([
    { host: '127.0.0.1', port },
    { host: '127.0.0.1', port: securePort, tls: true },
  ]);
  await until(async () => (await readFile(told, 'utf8')).includes('READY=1'));
  child.kill('SIGTERM');
  await once(child, 'close');
  expect(child.exitCode).toBe(0);
  await until(async () => (await readFile(told, 'utf8')).includes('STOPPING=1'));
});
