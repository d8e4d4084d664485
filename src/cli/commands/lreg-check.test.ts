// What a check finds is tested in storage/check, what it mends in tasks/private-registry.
import { expect, it, vi } from 'vitest';
import { emptyRegistry, putImage } from '../../server/testing/content.ts';
import { startServer } from '../../server/testing/start.ts';
import { blobKey } from '../../storage/layout/registry-keys.ts';
import { testProgram } from '../testing/program.ts';

// Nobody else works in these stores: the second look at what is wrong comes at once.
vi.mock(import('../../tasks/private-registry/check-registry.ts'), async (load) => {
  const { checkRegistry } = await load();
  return { checkRegistry: (options, settings) => checkRegistry({ betweenMs: 1, ...options }, settings) };
});

async function filled(options: Parameters<typeof testProgram>[0] = {}) {
  const program = await testProgram(options);
  const store = await program.store();
  const app = await putImage(store.registry, 'team/app', '1');
  const layer = app.blobs.at(-1)?.descriptor.digest ?? expect.fail();
  const damage = () => store.objects.put(blobKey(layer), Buffer.from('damage'));
  return { ...program, store, app, layer, damage };
}

it('says that all is whole, with status 0', async () => {
  const { must } = await filled();
  expect(await must('lreg_check')).toMatch(/^Checked \d\.\d kB in 3 blobs\. All images are whole\.\n$/);
  expect(await must('lreg_check', '--rate=100MB/s', 'team/app:1')).toContain('All images are whole.');
});

it('lreg_check says what is damaged, which images that costs and what to do, with status 1', async () => {
  const { run, printed, noted, damage, layer } = await filled();
  await damage();
  expect(await run('lreg_check')).toBe(1);
  expect(printed().split('\n')).toEqual([
    `damaged blob ${layer}, needed by team/app:1`,
    '    `images lreg_check --repair` mends it, if it can.',
    expect.stringMatching(/^Checked .* in 3 blobs\. 1 image not whole:$/),
    '    team/app:1',
    '',
  ]);
  expect(noted()).toEqual([`damaged: ${layer}`]);
});

it('lreg_check --repair says what it repaired, and why not the rest', async () => {
  const { run, must, printed, store, damage, app, layer } = await filled();
  await damage();
  await store.names.set('127.0.0.1:1', 'team/app', '1', app.manifest.digest);
  expect(await run('lreg_check', '--repair')).toBe(1);
  expect(printed()).toMatch(/\n {4}not mended: .*127\.0\.0\.1:1.*\n {4}Push the image again/);
  const upstream = emptyRegistry();
  await putImage(upstream, 'team/app', '1', app);
  await using server = await startServer(upstream);
  await store.names.set(server.host, 'team/app', '1', app.manifest.digest);
  expect(await must('lreg_check', '--repair')).toMatch(
    new RegExp(`^MENDED damaged blob ${layer}\nChecked .* All images are whole\\.\n$`),
  );
});

it('lreg_check --json says the same', async () => {
  const { run, printed, damage, layer, data } = await filled();
  await damage();
  expect(await run('lreg_check', '--json')).toBe(1);
  expect(JSON.parse(printed())).toMatchObject({
    ok: false,
    data,
    blobs: 3,
    mended: [],
    faults: [{ kind: 'damaged-blob', digest: layer, images: ['team/app:1'] }],
    incomplete: ['team/app:1'],
  });
});

it('lreg_check shows its progress on a terminal, and damage above it', async () => {
  const { run, drawn, noted, damage, layer } = await filled({ isTTY: true });
  await damage();
  await run('lreg_check');
  expect(drawn()).toMatch(/ of .* % read in \d blobs?/);
  expect(noted()).toEqual([`damaged: ${layer}`]);
});

it.each(['fast', '0', '-1MB'])('lreg_check --rate takes bytes per second, not [%s]', async (rate) => {
  const { run } = await filled();
  await expect(run('lreg_check', `--rate=${rate}`)).rejects.toMatchObject({ code: 'USAGE' });
});
