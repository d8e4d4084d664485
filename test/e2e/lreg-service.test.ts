// `images lreg_service`: the units, as systemd's own tools see them.
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { needs } from '../peers/find.ts';
import { must, run } from '../peers/process.ts';
import { newWorld } from '../peers/program.ts';

const peers = needs('systemd-analyze', 'systemctl', 'systemd-sysusers');

it.skipIf(peers.missing)(`writes, enables and removes a service of the system${peers.why}`, async () => {
  await using world = await newWorld();
  const root = join(world.path, 'root');
  await mkdir(root);
  const installed = await world.images(['lreg_service', '--system', `--root=${root}`]);
  expect(installed).toMatchObject({ status: 0, stdout: '' });
  const units = ['images.service', 'images.socket', 'images-https.socket'].map((name) =>
    join(root, 'etc/systemd/system', name),
  );
  expect(await run('systemd-analyze', ['verify', ...units])).toEqual({ status: 0, stdout: '', stderr: '' });
  // In tenths; what is not protected counts.
  await must('systemd-analyze', ['security', '--offline=true', '--threshold=29', units[0] ?? '']);
  for (const unit of ['images.service', 'images.socket', 'images-https.socket'])
    expect((await run('systemctl', [`--root=${root}`, 'is-enabled', unit])).stdout).toBe('enabled\n');
  const removed = await world.images(['lreg_service', '--system', `--root=${root}`, '--remove']);
  expect(removed).toMatchObject({ status: 0 });
  expect((await run('systemctl', [`--root=${root}`, 'is-enabled', 'images.service'])).stdout).not.toBe('enabled\n');
});

it.skipIf(peers.missing)(`prints a service of a user that systemd takes${peers.why}`, async () => {
  await using world = await newWorld();
  const printed = await world.must(['lreg_service', '--print', '--listen=127.0.0.1:5000']);
  expect(printed).toMatch(/^# .*\/config\/systemd\/user\/images\.service\n# Made by `images lreg_service`/);
  expect(printed).toContain('\nListenStream=127.0.0.1:5000\n');
  const wrong = await world.images(['lreg_service', '--print', '--remove']);
  expect(wrong).toMatchObject({ status: 2, stdout: '' });
});
