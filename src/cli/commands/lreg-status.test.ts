// What a status has is tested in tasks/private-registry.
import { expect, it, vi } from 'vitest';
import { putImage } from '../../server/testing/content.ts';
import type { RegistryStatus } from '../../tasks/private-registry/registry-status.ts';
import * as status from '../../tasks/private-registry/registry-status.ts';
import { serveRegistry } from '../../tasks/private-registry/serve-registry.ts';
import { taskSettings } from '../grammar/task-settings.ts';
import { testProgram } from '../testing/program.ts';

const rowsOf = (text: string) =>
  new Map(
    text
      .trimEnd()
      .split('\n')
      .map((line) => [line.slice(0, 10).trimEnd(), line.slice(10)]),
  );

it('lreg_status of a registry that does not run has status 1, and says what starts it', async () => {
  const { run, printed, data } = await testProgram();
  expect(await run('lreg_status')).toBe(1);
  expect([...rowsOf(printed())]).toEqual([
    ['running', 'no: `images lreg_start` starts it'],
    ['data', data],
    ['images', '0 tags in 0 repositories'],
    ['size', '0 B in 0 blobs'],
    ['damaged', 'no blobs'],
    ['checked', 'never; `images lreg_check` checks it'],
    ['garbage', 'never collected; `images lreg_gc` collects it'],
  ]);
  expect(await run('lreg_status', '--json')).toBe(1);
  expect(JSON.parse(printed())).toMatchObject({ running: false, data, tags: 0 });
});

it('lreg_status of a running registry says where, its health, and what it does by itself', async () => {
  const { must, context, store, data } = await testProgram();
  await putImage((await store()).registry, 'team/app', '1');
  await using served = await serveRegistry({ listen: ['127.0.0.1:0'], version: '1' }, taskSettings(context));
  const [address] = served.state.addresses;
  const rows = rowsOf(await must('lreg_status'));
  expect(rows.get('running')).toBe(`yes, pid ${process.pid}, since ${served.state.since}`);
  expect([rows.get('health'), rows.get('address'), rows.get('VMs')]).toEqual([
    'ok',
    `http://127.0.0.1:${address?.port}`,
    'cannot reach it',
  ]);
  expect([rows.get('checked'), rows.get('garbage'), rows.get('images')]).toEqual([
    'never; the registry checks it soon, when it is quiet',
    'never collected; the registry collects it soon, when it is quiet',
    '1 tag in 1 repository',
  ]);
  expect(JSON.parse(await must('lreg_status', '--json'))).toMatchObject({
    running: true,
    pid: process.pid,
    health: 'ok',
    addresses: [address],
    data,
  });
});

const HELD = { data: '/d', repositories: 1, tags: 1, blobs: 3, size: 2000, damaged: 0 };
const LATER = new Date(Date.now() + 3600_000).toISOString();
const CHECKED = {
  by: 'asked',
  since: '2026-01-01T00:00:00.000Z',
  finished: '2026-01-01T00:01:00.000Z',
  blobs: 3,
  bytes: 2000,
} as const;

it.each<[Partial<RegistryStatus>, string, string]>([
  [{ damaged: 2 }, 'damaged', '2 blobs: `images lreg_check --repair`'],
  [{ quota: { limit: 2 ** 30, used: 2 ** 29 } }, 'quota', '50 % of 1 GiB'],
  [
    { quota: { limit: 1000, used: 950 } },
    'quota',
    '95 % of 1000 bytes: WARNING: nearly full; `images lreg_du` and `images lreg_gc` help',
  ],
  [
    { checked: { ...CHECKED, findings: 0, images: 0 } },
    'checked',
    '2026-01-01T00:01:00.000Z, 2.0 kB in 3 blobs, all images were whole; `images lreg_check` checks it',
  ],
  [
    { checked: { ...CHECKED, findings: 3, images: 1 }, checks: LATER },
    'checked',
    `2026-01-01T00:01:00.000Z, 2.0 kB in 3 blobs, 1 image not whole, 3 findings; the registry checks it after ${LATER}, when it is quiet`,
  ],
  [
    { collected: CHECKED.finished, collects: LATER },
    'garbage',
    `collected ${CHECKED.finished}; the registry collects it after ${LATER}, when it is quiet`,
  ],
])('%o is shown', async (more, name, value) => {
  const { run, printed } = await testProgram();
  const spy = vi.spyOn(status, 'registryStatus').mockResolvedValue({ ...HELD, ...more });
  await run('lreg_status');
  spy.mockRestore();
  expect(rowsOf(printed()).get(name)).toBe(value);
});

it('lreg_status says from where a running registry fetches what is missing', async () => {
  const { must, context } = await testProgram();
  await using _served = await serveRegistry(
    { listen: ['127.0.0.1:0'], version: '1', proxy: ['lan.example'], ttl: '1m' },
    taskSettings(context),
  );
  expect(rowsOf(await must('lreg_status')).get('proxy')).toBe(
    'fetches from the well-known hosts, lan.example; tags are fresh for 60 s',
  );
  expect(JSON.parse(await must('lreg_status', '--json'))).toMatchObject({
    proxy: { hosts: ['lan.example'], ttl: 60_000, offline: false },
  });
});
