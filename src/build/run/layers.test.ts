import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { needs } from '../../../test/peers/find.ts';
import { must } from '../../../test/peers/process.ts';
import { archiveOf, type TestEntry } from '../../rootfs/testing/layers.ts';
import { listLayer, type RunWorld } from './testing/world.ts';
import { worldForAll } from './testing/world-for-all.ts';

const { missing, why } = needs('root', 'busybox', 'newuidmap', 'useradd', 'setpriv');
const file = (name: string, content: string, more: Partial<TestEntry> = {}): TestEntry => ({ name, content, ...more });
const text = (value: string): Uint8Array => Buffer.from(value);

const BASE: readonly TestEntry[] = [
  { name: 't/', mode: 0o1770, uid: 3, gid: 4 },
  file('t/gone', '1'),
  file('t/kept', '2', { mode: 0o640, uid: 5, gid: 6 }),
  { name: 't/all/', mode: 0o711, uid: 3 },
  file('t/all/a', '3'),
  file('t/was-file', '4'),
  { name: 't/was-dir/' },
  file('t/was-dir/x', '5'),
  { name: 't/link', linkname: 'all' },
  file('t/linked', '6', { mode: 0o4755 }),
];

/** Entries in any order, and with missing parents, as in hand-made layers and those of `COPY --link`. */
const SECOND: readonly TestEntry[] = [
  file('t/.wh.gone', ''),
  file('t/all/new', '7'),
  file('t/all/.wh..wh..opq', ''),
  file('t/was-file/y', '8'),
  file('t/was-dir', '9'),
  file('t/link/z', '10'),
  { name: 't/hard', type: 'hardlink', linkname: 't/linked', mode: 0o4755 },
  { name: 't/own-link', linkname: 'deep/er' },
  file('t/own-link/through', '11'),
  {
    name: 't/lies/',
    xattrs: new Map([
      ['user.overlay.opaque', text('y')],
      ['trusted.overlay.opaque', text('y')],
    ]),
  },
  file('t/twice', 'a'),
  file('t/twice', 'b', { mode: 0o600 }),
  { name: 't/device', type: 'character', device: { major: 1, minor: 3 } },
  { name: 't/kept-device', type: 'character', device: { major: 0, minor: 0 } },
];

describe.skipIf(missing)(`layers under RUN${why}`, () => {
  let world: RunWorld;
  let layers: readonly string[];
  const { who } = worldForAll((made) => (world = made));
  const write = async (name: string, entries: readonly TestEntry[]): Promise<string> => {
    const path = join(world.path, name);
    await writeFile(path, await archiveOf(entries));
    return path;
  };

  beforeAll(async () => {
    layers = [world.busybox, await write('base.tar', BASE), await write('second.tar', SECOND)];
  });

  const LOOK = `cd /t; find . ! -type l ! -name 'device' -exec stat -c '%n %F %a %u:%g' {} + | sort; grep -r . . | sort; readlink own-link`;
  const seen = (squashed: boolean): readonly string[] => {
    const owner = (uid: number, gid: number) => (squashed ? '0:0' : `${uid}:${gid}`);
    return [
      `. directory 1770 ${owner(3, 4)}`,
      `./all directory 711 ${owner(3, 0)}`,
      './all/new regular file 644 0:0',
      './deep directory 755 0:0',
      './deep/er directory 755 0:0',
      './deep/er/through regular file 644 0:0',
      './hard regular file 4755 0:0',
      `./kept regular file 640 ${owner(5, 6)}`,
      './lies directory 755 0:0',
      './link directory 755 0:0',
      './link/z regular file 644 0:0',
      './linked regular file 4755 0:0',
      './twice regular file 600 0:0',
      './was-dir regular file 644 0:0',
      './was-file directory 755 0:0',
      './was-file/y regular file 644 0:0',
      './all/new:7',
      './deep/er/through:11',
      './hard:6',
      './kept:2',
      './link/z:10',
      './linked:6',
      './twice:b',
      './was-dir:9',
      './was-file/y:8',
      'deep/er',
    ];
  };

  it.each([
    ['root', true],
    ['root', false],
    ['a user with subordinate ids', true],
    ['a user with subordinate ids', false],
    ['nobody', true],
    ['nobody', false],
  ] as const)('show what the image specification says, to %s (mounted: %s)', async (title, overlay) => {
    const settings = { overlay };
    const done = await world.drive(who(title), { layers, settings, request: { args: ['/bin/sh', '-c', LOOK] } });
    expect(done.error).toBeUndefined();
    expect(done.output.trim().split('\n')).toEqual(seen(title === 'nobody'));
    expect(await listLayer(done.layer)).toEqual([]);
  });

  it('a directory that a layer does not describe has other attributes above another base', async () => {
    const other = await write('other.tar', [
      { name: 't/', mode: 0o700 },
      { name: 't/all/', mode: 0o755, uid: 9 },
    ]);
    const top = await write('top.tar', [file('t/all/x', 'x')]);
    for (const [below, expected] of [
      [layers[1] as string, '711 3'],
      [other, '755 9'],
    ] as const) {
      const request = { args: ['/bin/sh', '-c', 'stat -c "%a %u" /t/all; cat /t/all/x'] };
      const { output } = await world.drive(who('root'), { layers: [world.busybox, below, top], request });
      expect(output).toBe(`${expected}\nx`);
    }
  });

  it('keep the owners that one user cannot give, where a file is only changed', async () => {
    const request = {
      args: [
        '/bin/sh',
        '-c',
        'echo more >>/t/kept; chmod 700 /t/all; echo n >/t/n; ln /t/kept /t/same; rm /t/linked; mkdir /t/linked',
      ],
    };
    const { layer } = await world.drive(who('nobody'), { layers, request });
    expect(await listLayer(layer)).toEqual([
      't/ directory 1770 3:4',
      't/all/ directory 700 3:0',
      't/kept file 640 5:6 2more',
      't/linked/ directory 755 0:0',
      't/n file 644 0:0 n',
      't/same hardlink 640 5:6 t/kept',
    ]);
  });

  it('with paths that are too long to be read are reported in one short line', async () => {
    const script =
      'cd /t; for i in $(seq 300); do mkdir a-name-of-some-length && cd a-name-of-some-length || break; done';
    const request = { args: ['/bin/sh', '-c', script] };
    const { output, error } = await world.drive(who('root'), { layers, request });
    const { message = output } = error ?? {};
    expect(message).toMatch(/^what the command changed cannot be read \[tar: .*….*File name too long\]$/);
    expect(message.length).toBeLessThan(300);
  });

  it('with ids that the user has not got are refused, with the command that mends it, or belong to root', async () => {
    const strange = await write('strange.tar', [file('f', 'x', { uid: 3_000_000 })]);
    const spec = { layers: [world.busybox, strange], request: { args: ['/bin/stat', '-c', '%u', '/f'] } };
    const many = who('a user with subordinate ids');
    expect((await world.drive(many, spec)).error).toMatchObject({
      code: 'RUN_UNAVAILABLE',
      message: expect.stringContaining('[3000000]'),
      hint: expect.stringMatching(/usermod --add-subuids \d{6,}-\d{7,} --add-subgids /),
    });
    expect((await world.drive(many, { ...spec, settings: { ignoreChownErrors: true } })).output).toBe('0\n');
    expect((await world.drive(who('root'), spec)).output).toBe('3000000\n');
    expect((await world.drive(who('nobody'), spec)).output).toBe('0\n');
  });

  it('for which the file system has no space are not called damaged', async () => {
    const big = await world.archive('big', 'head -c 8000000 /dev/urandom >big');
    const small = join(world.path, 'small');
    await mkdir(small);
    await must('mount', ['-t', 'tmpfs', '-o', 'size=6m', 'small', small]);
    try {
      const spec = { layers: [world.busybox, big], settings: { directory: join(small, 'runner') } };
      const done = await world.drive(who('root'), { ...spec, request: { args: ['/bin/true'] } });
      expect(done.error).toMatchObject({ code: 'NO_SPACE', message: expect.stringContaining(small) });
    } finally {
      await must('umount', [small]);
    }
  });

  it('are removed when there are too many bytes of them, the least recently used first, never those in use', async () => {
    const request = { args: ['/bin/true'] };
    const settings = { maxSnapshotBytes: 1, directory: join(await world.home(who('nobody')), 'small') };
    await world.drive(who('nobody'), { layers, settings, request });
    const [key] = (await readdir(settings.directory)).filter((name) => name.startsWith('one-'));
    expect(await readdir(join(settings.directory, key ?? '', 'snapshots'))).toEqual([]);
    const roomy = { ...settings, maxSnapshotBytes: 1e9 };
    expect((await world.drive(who('nobody'), { layers, settings: roomy, request })).status).toBe(0);
    expect(await readdir(join(settings.directory, key ?? '', 'snapshots'))).toHaveLength(layers.length);
  });
});
