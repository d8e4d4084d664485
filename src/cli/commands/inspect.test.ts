// What looking into an image prints. What there is to see is tested in tasks/look.
import { describe, expect, it } from 'vitest';
import { buildImage, buildIndex, type FixtureImage, layerOf } from '../../../test/fixtures/image.ts';
import { putFixture } from '../../tasks/testing/hosts-and-store.ts';
import { testProgram } from '../testing/program.ts';

const BASE = layerOf([
  { name: 'etc/' },
  { name: 'etc/motd', data: 'welcome' },
  { name: 'etc/old', data: 'x'.repeat(2000) },
  { name: 'bin/tool', data: 'tool', mode: 0o755 },
]);
const APP = buildImage({
  layers: [
    BASE,
    layerOf([
      { name: 'etc/motd', data: 'hello' },
      { name: 'etc/.wh.old', data: '' },
      { name: 'srv/link', link: '../etc/motd', mode: 0o777 },
    ]),
  ],
  cmd: ['/bin/tool', '-v'],
  env: ['PATH=/bin', 'LANG=C'],
  labels: { a: 'one', b: 'two' },
  instructions: ['ADD base /', 'COPY   app \u001b[2J /'],
});

async function filled(images: Readonly<Record<string, FixtureImage>> = { '1': APP }) {
  const program = await testProgram();
  const { stripped } = await program.store();
  for (const [tag, image] of Object.entries(images)) await putFixture(stripped, { path: 'team/app', tag }, image);
  return program;
}

describe('inspect', () => {
  it('says for people what an image is', async () => {
    const { must } = await filled();
    const text = await must('inspect', 'team/app:1');
    expect(text).toMatch(/^Name +.*team\/app:1\nDigest +sha256:\w{64}\nMedia type +application\//);
    expect(text).toContain('\nCmd          ["/bin/tool","-v"]\nEnv          PATH=/bin\n             LANG=C\n');
    expect(text).toContain('\nLabels       a=one\n             b=two\n');
    expect(text).toMatch(/\nSize +\d+ B in 2 layers\n/);
    expect(text).toMatch(/\nLayers\n {2}1 sha256:\w{64} +\d+ B\n {2}2 sha256:/);
    expect(text).toMatch(/\nHistory\n {2}layer ADD base \/\n {2}layer COPY app \?\[2J \/\n$/);
    expect(text).not.toMatch(/User|Volumes|Author/);
  });

  it('has the platforms of an index, and what else a configuration says', async () => {
    const config = {
      User: '1000',
      ExposedPorts: { '80/tcp': {}, '443/tcp': {} },
      Healthcheck: { Test: ['CMD', 'true'], Retries: 3 },
      StopSignal: '',
    };
    const odd = buildImage({ layers: [BASE], lies: { config, author: 'me', history: [{ empty_layer: true }] } });
    const { must } = await filled({ '1': buildIndex([odd]) });
    const text = await must('inspect', 'team/app:1');
    expect(text).toMatch(/\nPlatforms +linux\/amd64\nManifest +sha256:/);
    expect(text).toMatch(/\nAuthor +me\n/);
    expect(text).toMatch(/\nPorts +80\/tcp\n +443\/tcp\n/);
    expect(text).toMatch(/\nHealthcheck +Test=\["CMD","true"\]\n +Retries=3\n/);
    expect(text).not.toContain('StopSignal');
  });

  it('gives the bytes as they are, or JSON', async () => {
    const { must } = await filled();
    expect(await must('inspect', '--raw', 'team/app:1')).toBe(Buffer.from(APP.manifest.bytes).toString());
    expect(await must('inspect', '--config', 'team/app:1')).toBe(Buffer.from(APP.blobs[0]?.bytes ?? []).toString());
    expect(JSON.parse(await must('inspect', '--json', 'team/app:1'))).toMatchObject({ digest: APP.manifest.digest });
  });
});

describe('ls', () => {
  it('has a line for each file', async () => {
    const { must } = await filled();
    const names = async (...args: string[]) =>
      (await must('ls', 'team/app:1', ...args))
        .trimEnd()
        .split('\n')
        .map((line) => line.replace(/^.*:\d\d /, ''));
    expect(await names()).toEqual(['bin', 'etc', 'srv']);
    expect(await names('-R', '/')).toContain('srv/link -> ../etc/motd');
    expect(await names('-R', '/')).not.toContain('etc/old');
    const files = JSON.parse(await must('ls', '--json', 'team/app:1', '/etc'));
    expect(files).toMatchObject([{ path: 'etc/motd', size: 5, layer: expect.any(String) }]);
  });
});

describe('why', () => {
  it('says what each layer did to a path', async () => {
    const { must } = await filled();
    const text = await must('why', 'team/app:1', '/etc/motd');
    expect(text).toMatch(/^\w+ in layer 1 \w{12}: ADD base \/\n {2}-rw.*\n\w+ in layer 2 \w{12}: COPY .*\n {2}-rw/);
    expect(await must('why', 'team/app:1', '/etc/old')).toMatch(/\ndeleted in layer 2 .*\n$/);
    const { path, events } = JSON.parse(await must('why', '--json', 'team/app:1', 'etc/motd'));
    expect([path, events.length, events[1].file.size]).toEqual(['etc/motd', 2, 5]);
  });
});

describe('usage', () => {
  it('says where the bytes are, and what later layers waste', async () => {
    const { must } = await filled();
    const text = await must('usage', 'team/app:1');
    expect(text).toMatch(/^9 B in \d files, \d+ B as layers, 2\.0 kB wasted \(\d\d\.\d %\)\n/);
    expect(text).toMatch(/\n {2}1 \w{12} +\d+ B +2\.0 kB +2\.0 kB {2}ADD base \/\n/);
    expect(text).toMatch(/\n +WASTED {2}IN LAYER, BY LAYER, FILE\n +2\.0 kB {2}1, 2, \/etc\/old\n/);
    expect(JSON.parse(await must('usage', '--json', 'team/app:1'))).toMatchObject({ wasted: 2007, visible: 9 });
    expect((await must('usage', '--top=1', 'team/app:1')).match(/, \/etc/g)).toHaveLength(1);
  });

  it('of an image that wastes nothing has no such list', async () => {
    const { must } = await filled({ '1': buildImage({ layers: [BASE] }) });
    const text = await must('usage', 'team/app:1');
    expect(text).toContain(', 0 B wasted (0.0 %)\n');
    expect(text).not.toContain('IN LAYER, BY LAYER');
  });
});

describe('diff', () => {
  it('has status 0 where nothing differs', async () => {
    const { must, noted } = await filled();
    expect([await must('diff', 'team/app:1', 'team/app:1'), noted()]).toEqual(['', ['No differences.']]);
  });

  it('says what differs, with status 1', async () => {
    const other = layerOf([
      { name: 'etc/' },
      { name: 'etc/motd', data: 'goodbye' },
      { name: 'etc/new', data: 'n' },
      { name: 'bin/tool', data: 'toll', mode: 0o700 },
      { name: 'srv/link', link: '../etc/new', mode: 0o777 },
      { name: 'srv/dir/' },
    ]);
    const { run, printed, noted } = await filled({ '1': APP, '2': buildImage({ layers: [other] }) });
    expect(await run('diff', 'team/app:1', 'team/app:2')).toBe(1);
    expect(printed().trimEnd().split('\n')).toEqual([
      '~ bin/tool: content (4 bytes), mode rwxr-xr-x → rwx------',
      '~ etc/motd: content (5 → 7 bytes)',
      '+ etc/new (1 byte)',
      '+ srv/dir/',
      '~ srv/link: link ../etc/motd → ../etc/new',
    ]);
    expect(noted()).toEqual(['5 differences: 2 added, 0 removed, 3 changed']);
    expect(await run('diff', '--json', 'team/app:2', 'team/app:1')).toBe(1);
    expect(JSON.parse(printed())).toContainEqual(
      expect.objectContaining({ path: 'etc/new', change: 'removed', before: expect.objectContaining({ size: 1 }) }),
    );
  });
});

describe('check', () => {
  it('has a line for each part, and status 1 if one is wrong', async () => {
    const wrong = buildImage({
      layers: [BASE],
      lies: { rootfs: { type: 'layers', diff_ids: [`sha256:${'0'.repeat(64)}`] } },
    });
    const { run, printed, noted } = await filled({ '1': APP, '2': wrong });
    expect([await run('check', 'team/app:1'), noted()]).toEqual([0, ['All parts agree.']]);
    expect(printed()).toMatch(/^(ok {4}.*\n)+$/);
    expect(await run('check', 'team/app:2')).toBe(1);
    expect(printed()).toMatch(/\nWRONG .*\n {6}\S/);
    expect(noted()).toEqual([expect.stringMatching(/^\d+ problems?\.$/)]);
    expect(await run('check', '--json', 'team/app:2')).toBe(1);
    expect(JSON.parse(printed())).toMatchObject({ ok: false });
  });
});
