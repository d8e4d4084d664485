import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { rounds, timeFor } from '../../test/testing/soak.ts';
import type { TarHeader } from '../tar/entry.ts';
import { compareNames } from '../tar/names.ts';
import { paxContent, rawArchive } from '../tar/testing/raw-archive.ts';
import { applyLayers } from './apply-layers.ts';
import { indexLayer } from './layer-index.ts';
import { archiveOf, layerOf, layerOfArchive, type TestEntry } from './testing/layers.ts';
import { type Formed, formOf } from './testing/overlay.ts';
import { headerOf, type RootTree, walk } from './tree.ts';

const text = (value: string) => Uint8Array.from(Buffer.from(value));

function listing({ files }: Formed): readonly string[] {
  return [...files].map(([path, { type, linkname }]) => `${type} ${path}${linkname && ` → ${linkname}`}`);
}

describe('a layer in overlay form', () => {
  it('has whiteouts as devices 0:0, and marks opaque directories with an attribute', async () => {
    const form = await formOf(
      await layerOf([
        { name: 'etc/' },
        { name: 'etc/.wh.motd', uid: 7 },
        { name: 'etc/.wh..wh..opq' },
        { name: 'usr/lib/.wh..wh..opq' },
        { name: '.wh..wh.plnk/1.2', content: 'aufs' },
      ]),
    );
    expect(form.plain).toBe(true);
    expect(form.files.get('etc/motd')).toMatchObject({
      type: 'character',
      mode: 0,
      uid: 7,
      device: { major: 0, minor: 0 },
    });
    expect(form.files.get('etc/')?.xattrs.get('trusted.overlay.opaque')).toEqual(text('y'));
    expect(form.files.get('usr/lib/')?.xattrs.get('trusted.overlay.opaque')).toEqual(text('y'));
    expect(form.files.get('usr/')).toMatchObject({ mode: 0o755, uid: 0, xattrs: new Map() });
    expect([...form.files.keys()].sort(compareNames)).toEqual(['', 'etc/', 'etc/motd', 'usr/', 'usr/lib/']);
  });

  it('marks opaque directories for user namespaces where that is asked for', async () => {
    const form = await formOf(await layerOf([{ name: 'a/.wh..wh..opq' }]), { userXattr: true });
    expect([...(form.files.get('a/')?.xattrs.keys() ?? [])]).toEqual(['user.overlay.opaque']);
  });

  it('keeps owners, modes, times, devices, links and attributes', async () => {
    const odd = { mode: 0o4755, uid: 1, gid: 2, mtime: { seconds: -5, nanoseconds: 123_456_789 } };
    const entries: TestEntry[] = [
      { name: 'f', content: 'x', ...odd },
      {
        name: 'caps',
        xattrs: new Map([
          ['security.capability', Uint8Array.from([1, 0, 255])],
          ['user.a', text('b')],
        ]),
      },
      { name: 'tty', type: 'character', device: { major: 4, minor: 64 } },
      { name: 'pipe', type: 'fifo' },
      { name: 'link', linkname: '/etc/../shadow' },
      { name: 'other', type: 'hardlink', linkname: './f', ...odd },
    ];
    const form = await formOf(await layerOf(entries));
    expect(form.files.get('f')).toMatchObject({
      mode: 0o4755,
      uid: 1,
      gid: 2,
      mtime: { seconds: -5, nanoseconds: 123_456_789 },
    });
    expect(form.files.get('caps')?.xattrs.get('security.capability')).toEqual(Uint8Array.from([1, 0, 255]));
    expect(form.files.get('tty')).toMatchObject({ type: 'character', device: { major: 4, minor: 64 } });
    expect(listing(form)).toContain('hardlink other → overlay/ID/diff/f');
    expect(listing(form)).toContain('symlink link → /etc/../shadow');
    expect(form.facts).toMatchObject({ uids: [0, 1], gids: [0, 2] });
  });

  it('takes the root directory from its own entry, else from the layer below, else as the driver makes it', async () => {
    const file = { name: 'f' };
    expect((await formOf(await layerOf([file, { name: './', mode: 0o700, uid: 9 }]))).files.get('')).toMatchObject({
      mode: 0o700,
      uid: 9,
    });
    const below = await formOf(await layerOf([file]), { rootBelow: { mode: 0o711, uid: 3, gid: 4 } });
    expect(below.files.get('')).toMatchObject({ mode: 0o711, uid: 3, gid: 4 });
    expect((await formOf(await layerOf([file]))).files.get('')).toMatchObject({ mode: 0o555, uid: 0 });
  });

  it.each<[string, TestEntry[], string[]]>([
    [
      'the last of two files wins',
      [
        { name: 'a', content: '1' },
        { name: './a', content: '2' },
      ],
      ['a=2'],
    ],
    [
      'a file takes the place of a directory',
      [
        { name: 'a/b', content: '1' },
        { name: 'a', content: '2' },
      ],
      ['a=2'],
    ],
    [
      'a directory takes the place of a file',
      [
        { name: 'a', content: '1' },
        { name: 'a/b', content: '2' },
      ],
      ['a/b=2'],
    ],
    [
      'a link keeps what its target was',
      [
        { name: 'a', content: '1' },
        { name: 'b', type: 'hardlink', linkname: 'a' },
        { name: 'a', content: '2' },
      ],
      ['a=2', 'b=1'],
    ],
    [
      'a link lies within the root',
      [
        { name: 'a', linkname: '/../../b' },
        { name: 'a/c', content: '1' },
      ],
      ['b/c=1'],
    ],
  ])('says what unpacking says: %s', async (_, entries, expected) => {
    const archive = await archiveOf(entries);
    const form = await formOf(layerOfArchive(archive));
    expect(form.plain).toBe(false);
    const contents = [...form.files].flatMap(([path, { type, content }]) =>
      type === 'file' ? [`${path}=${content}`] : [],
    );
    expect(contents.sort()).toEqual(expected);
    expect(await form.rejoined()).toEqual(archive);
  });

  it('has an opaque directory if that stands beside its own whiteout', async () => {
    for (const entries of [
      [{ name: '.wh.a' }, { name: 'a/b' }],
      [{ name: 'a/b' }, { name: '.wh.a' }],
    ]) {
      const form = await formOf(await layerOf(entries));
      expect([...form.files.keys()].sort(compareNames)).toEqual(['', 'a/', 'a/b']);
      expect(form.files.get('a/')?.xattrs.has('trusted.overlay.opaque')).toBe(true);
    }
  });

  it('refuses whiteouts without a name, and ignores the content of a whiteout', async () => {
    for (const name of ['.wh.', '.wh..', 'd/.wh...', '.wh.../']) {
      await expect(layerOf([{ name }]).then(formOf)).rejects.toThrow(/a whiteout of no name/);
    }
    const form = await formOf(
      await layerOf([{ name: '.wh.d/' }, { name: '.wh.d/f', content: 'x' }, { name: '.wh.e/.wh..wh..opq' }]),
    );
    expect([...form.files.keys()].sort(compareNames)).toEqual(['', 'd']);
  });

  it('has links to a link to a file below after that file', async () => {
    const base = await layerOf([{ name: 'bin/tool', content: 'tool' }]);
    const links = ['a', 'b', 'c'].map((name, at): TestEntry => {
      return { name, type: 'hardlink', linkname: ['bin/tool', 'a', 'b'][at] as string };
    });
    const form = await formOf(await layerOf(links), { below: [base] });
    expect(form.plain).toBe(true);
    expect(listing(form).slice(0, 3)).toEqual([
      'file a',
      'hardlink b → overlay/ID/diff/a',
      'hardlink c → overlay/ID/diff/a',
    ]);
  });

  it('has the content of a file below if it has a hard link to it', async () => {
    const base = await layerOf([{ name: 'bin/tool', content: 'tool', mode: 0o700 }]);
    const archive = await archiveOf([
      { name: 'bin/a', type: 'hardlink', linkname: 'bin/tool', mode: 0o711 },
      { name: 'bin/b', type: 'hardlink', linkname: 'bin/tool', mode: 0o755, uid: 5 },
    ]);
    const form = await formOf(layerOfArchive(archive), { below: [base] });
    expect(form.files.get('bin/a')).toMatchObject({ type: 'file', mode: 0o755, uid: 5, content: Buffer.from('tool') });
    expect(form.files.get('bin/b')).toMatchObject({ type: 'hardlink', linkname: 'overlay/ID/diff/bin/a' });
    expect(await form.rejoined()).toEqual(archive);
  });

  it('has the content of the file to which symbolic links of the same layer lead, not of one that they have replaced', async () => {
    const base = await layerOf([
      { name: 'd/e/f', content: 'there' },
      { name: 'b/f', content: 'replaced' },
    ]);
    const archive = await archiveOf([
      { name: 'b', linkname: '/c/e' },
      { name: 'c', linkname: 'd' },
      { name: 'a', type: 'hardlink', linkname: 'b/f' },
    ]);
    const form = await formOf(layerOfArchive(archive), { below: [base] });
    expect(form.files.get('a')).toMatchObject({ type: 'file', content: Buffer.from('there') });
    expect(await form.rejoined()).toEqual(archive);
  });

  it('has for a file with hard links the attributes of the last of them', async () => {
    const xattrs = new Map([
      ['security.capability', text('c')],
      ['user.a', text('a')],
    ]);
    const link = { type: 'hardlink', uid: 3, gid: 4 } as const;
    const form = await formOf(
      await layerOf([
        { name: 'f', content: 'f', mode: 0o600, xattrs },
        { ...link, name: 'a', linkname: 'f', mode: 0o4755, xattrs: new Map([['user.b', text('b')]]) },
        { ...link, name: 'z', linkname: 'a', mode: 0o4711 },
        { name: 's', linkname: 'nowhere', mode: 0o777 },
        { ...link, name: 't', linkname: 's', mode: 0o600, uid: 7 },
      ]),
    );
    expect(form.files.get('f')).toMatchObject({ mode: 0o4711, uid: 3, gid: 4, content: Buffer.from('f') });
    // A change of owner removes capabilities.
    expect([...(form.files.get('f')?.xattrs.keys() ?? [])]).toEqual(['user.a', 'user.b']);
    expect(form.files.get('s')).toMatchObject({ type: 'symlink', mode: 0o777, uid: 7 });
    const links = ['hardlink a → overlay/ID/diff/f', 'hardlink z → overlay/ID/diff/f'];
    expect(listing(form)).toEqual(expect.arrayContaining(links));
  });

  it.each<[string, TestEntry[]]>([
    ['a name that climbs out', [{ name: '../../etc/passwd', content: 'x' }]],
    ['a hard link that climbs out', [{ name: 'a', type: 'hardlink', linkname: '../../etc/passwd' }]],
    ['a hard link to a file that is not there', [{ name: 'a', type: 'hardlink', linkname: 'nothing' }]],
    ['a whiteout that climbs out', [{ name: '../.wh.x' }]],
    ['a name that no file can have', [{ name: `a/${'é'.repeat(128)}/b`, content: 'x' }]],
    ['a name that no directory can have', [{ name: `${'x'.repeat(256)}/` }]],
    ['a path that nobody can open', [{ name: `${'x/'.repeat(2100)}x`, content: 'x' }]],
    ['a target that no link can have', [{ name: 'a', linkname: 'x'.repeat(4096) }]],
    ['an owner that no file can have', [{ name: 'a', uid: 2 ** 40 }]],
  ])('is refused for %s', async (_, entries) => {
    await expect(formOf(await layerOf(entries))).rejects.toMatchObject({ code: 'TAR_INVALID' });
  });

  it('can have the longest names that Linux allows', async () => {
    const entries = [
      { name: `.wh.${'w'.repeat(255)}` },
      { name: `${'é'.repeat(127)}é`.slice(1), content: 'x' },
      { name: `d/${'\udcff'.repeat(255)}`, content: 'x' },
      { name: `${'x/'.repeat(1900)}x`, content: 'x' },
    ];
    const form = await formOf(await layerOf(entries));
    expect([...form.files.keys()]).toEqual(expect.arrayContaining(entries.map(({ name }) => name.replace('.wh.', ''))));
  });

  it('drops attributes of overlayfs and its helpers', async () => {
    const xattrs = new Map(
      [
        'trusted.overlay.redirect',
        'trusted.overlay.opaque',
        'user.overlay.opaque',
        'user.containers.override_stat',
        'security.selinux',
        'user.mine',
      ].map((name) => [name, text('y')] as const),
    );
    const form = await formOf(
      await layerOf([
        { name: 'd/', xattrs },
        { name: 'f', xattrs },
      ]),
    );
    expect([...(form.files.get('d/')?.xattrs.keys() ?? [])]).toEqual(['user.mine']);
    expect([...(form.files.get('f')?.xattrs.keys() ?? [])]).toEqual(['user.mine']);
  });

  it('has sparse files as they are, and is turned back into the exact archive', async () => {
    const sparse = [{ offset: 4096, length: 3 }];
    const archive = await archiveOf([
      { name: 's', size: 10_000, sparse, content: 'abc' },
      { name: 'n', content: 'x'.repeat(600) },
    ]);
    const form = await formOf(layerOfArchive(archive));
    expect(form.files.get('s')).toMatchObject({ size: 10_000, sparse });
    expect(await form.rejoined()).toEqual(archive);
  });

  it('has a sparse file of single bytes in pieces that GNU tar would find', async () => {
    const offsets = [1, 3, 700, 4096, 9999];
    const archive = rawArchive(
      {
        typeflag: 'x',
        content: paxContent([
          ['GNU.sparse.size', '10000'],
          ['GNU.sparse.map', offsets.map((offset) => `${offset},1`).join(',')],
        ]),
      },
      { name: 's', content: 'abcde' },
      { name: 'after', content: 'x' },
    );
    const form = await formOf(layerOfArchive(archive));
    const expected = Buffer.alloc(10_000);
    for (const [at, offset] of offsets.entries()) expected.write('abcde'[at] as string, offset);
    const file = form.files.get('s');
    expect(file?.content).toEqual(expected);
    const pieces = file?.sparse ?? [];
    expect(pieces.reduce((sum, { length }) => sum + length, 0)).toBeLessThan(3000);
    expect(pieces.slice(0, -1).filter(({ length }) => length % 512 !== 0)).toEqual([]);
    expect(form.files.get('after')?.content.toString()).toBe('x');
    expect(await form.rejoined()).toEqual(archive);
  });

  it('is turned back into the exact archive, with whatever follows its end', async () => {
    const archive = Buffer.concat([
      await archiveOf([{ name: 'caf\udce9', content: 'latin1' }, { name: 'e' }]),
      Buffer.alloc(9000, 1),
    ]);
    const form = await formOf(layerOfArchive(archive));
    expect(await form.rejoined()).toEqual(archive);
    expect(form.facts).toMatchObject({ size: archive.length, diffId: layerOfArchive(archive).diffId });
  });

  it('of no bytes at all is an empty directory', async () => {
    const form = await formOf(layerOfArchive(new Uint8Array()));
    expect([...form.files.keys()]).toEqual(['']);
    expect(await form.rejoined()).toHaveLength(0);
  });
});

/** Few names, so that entries often have the same one. */
const anEntry: fc.Arbitrary<TestEntry> = fc
  .record({
    path: fc.array(fc.constantFrom('a', 'b', 'c', '.wh.a', '.wh.b', '.wh..wh..opq'), { minLength: 1, maxLength: 3 }),
    kind: fc.constantFrom('file', 'file', 'directory', 'symlink', 'hardlink'),
    target: fc.array(fc.constantFrom('a', 'b', 'c'), { minLength: 1, maxLength: 2 }),
    content: fc.string({ maxLength: 5 }),
  })
  .map(({ path, kind, target, content }): TestEntry => {
    const clean = path.map((part, at) => (at < path.length - 1 ? part.replace(/^\.wh\..*/, 'd') : part));
    const isWhiteout = clean.at(-1)?.startsWith('.wh.') ?? false;
    const name = clean.join('/');
    if (isWhiteout) return { name };
    if (kind === 'directory') return { name: `${name}/` };
    if (kind === 'symlink') return { name, linkname: `/${target.join('/')}` };
    if (kind === 'hardlink') return { name, type: 'hardlink', linkname: target.join('/') };
    return { name, content };
  });

describe('any layer', () => {
  const BASE: TestEntry[] = ['a/b', 'b/a/c', 'c', 'd/a', 'a/d/b'].map((name, at) => ({
    name,
    content: `base ${name}`,
    mtime: { seconds: at + 1, nanoseconds: 0 },
  }));

  /** The content of files below. Attributes of a link to such a file differ between a container and the store, so times are not compared. */
  const BELOW = 'file of the base';

  it('shows over a base what applying it gives, each name once, and is turned back into the exact archive', {
    timeout: timeFor(60_000),
  }, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anEntry, { maxLength: 8 }), async (some) => {
        // A whiteout below a name that is a file in the base has no effect, but the layer alone does not show that.
        fc.pre(!some.some(({ name }) => /\.wh\./.test(name) && BASE.some((base) => name.startsWith(`${base.name}/`))));
        // Entries are recognised by their times.
        const entries = some.map((entry, at) => ({ ...entry, mtime: { seconds: 100 + at, nanoseconds: 0 } }));
        const base = await layerOf(BASE);
        const archive = await archiveOf(entries);
        const layer = layerOfArchive(archive);
        const indexes = [await indexLayer(base), await indexLayer(layer)];
        const expected = outcome(() => shown(applyLayers(indexes)));
        const form = await formOf(layer, { below: [base] }).catch((error: unknown) => error as Error);
        if (form instanceof Error) {
          expect((form as { code?: string }).code).toBe('TAR_INVALID');
          expect(expected).toBeUndefined();
          return;
        }
        expect(new Set(form.names).size).toBe(form.names.length);
        expect(form.names.every((name) => name.startsWith('overlay/ID/diff/') && !name.includes('..'))).toBe(true);
        expect(await form.rejoined()).toEqual(archive);
        // A whiteout in a missing directory creates the directory.
        if (expected) expect(withoutEmpty(mounted(form))).toEqual(withoutEmpty(expected));
      }),
      { numRuns: rounds(150) },
    );
  });

  function mounted(form: Formed): ReadonlyMap<string, string> {
    const all = new Map<string, string>();
    for (const { name } of BASE) {
      const parts = name.split('/');
      for (let end = 1; end < parts.length; end++) all.set(`${parts.slice(0, end).join('/')}/`, 'directory');
      all.set(name, BELOW);
    }
    const remove = (path: string) => {
      for (const known of [...all.keys()]) if (known === path || known.startsWith(`${path}/`)) all.delete(known);
    };
    const upper = [...form.files].filter(([path]) => path !== '');
    for (const [path, { type, xattrs }] of upper) {
      const bare = path.replace(/\/$/, '');
      if (type !== 'directory') remove(bare);
      else {
        if (all.has(bare) || xattrs.has('trusted.overlay.opaque')) remove(bare);
      }
    }
    if (form.files.get('')?.xattrs.has('trusted.overlay.opaque')) all.clear();
    for (const [path, file] of upper) {
      if (file.type !== 'character')
        all.set(
          path,
          describeFile(file, (at) => form.files.get(at)),
        );
    }
    return new Map([...all].sort(([a], [b]) => compareNames(a, b)));
  }

  function withoutEmpty(all: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
    const files = [...all.keys()].filter((path) => !path.endsWith('/'));
    return new Map([...all].filter(([path]) => files.some((file) => file.startsWith(path))));
  }

  type Described = Pick<TarHeader, 'type' | 'linkname' | 'mtime'> & { readonly content?: Uint8Array };

  function describeFile(file: Described, find: (path: string) => Described | undefined): string {
    if (file.type === 'hardlink') {
      const target = find(file.linkname.slice('overlay/ID/diff/'.length));
      return target ? describeFile(target, find) : 'broken';
    }
    if (file.content && Buffer.from(file.content).toString().startsWith('base ')) return BELOW;
    return file.type === 'directory' ? 'directory' : `${file.type} ${file.linkname} ${file.mtime.seconds}`;
  }

  function shown(tree: RootTree): ReadonlyMap<string, string> {
    const all = new Map<string, string>();
    for (const { path, node } of walk(tree.root)) {
      if (path === '') continue;
      const isBelow = !node.children && node.inode.layer === 0;
      const what = isBelow ? BELOW : describeFile(headerOf(node), () => undefined);
      all.set(node.children ? `${path}/` : path, what);
    }
    return new Map([...all].sort(([a], [b]) => compareNames(a, b)));
  }

  function outcome<T>(work: () => T): T | undefined {
    try {
      return work();
    } catch {
      return undefined;
    }
  }
});
