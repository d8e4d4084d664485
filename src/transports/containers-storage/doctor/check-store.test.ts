import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TemporaryDirectory, temporaryDirectory } from '../../../../test/peers/temporary.ts';
import { impliedDirectory } from '../../../rootfs/overlay-header.ts';
import { changed, madeStore, type StoreEntry } from '../testing/made-store.ts';
import { examineStore } from './check-store.ts';
import type { Rule } from './problem.ts';

const IMAGES = [
  {
    names: ['docker.io/library/a:1'],
    layers: [
      [
        { name: './', mode: 0o755 },
        { name: 'etc/' },
        { name: 'etc/motd', content: 'hello' },
        { name: 'etc/link', type: 'hardlink', linkname: 'etc/motd' },
      ],
      [{ name: 'etc/.wh.motd' }, { name: 'usr/lib/.wh..wh..opq' }, { name: 'usr/lib/x', content: 'x'.repeat(700) }],
    ],
  },
  {
    names: ['docker.io/library/b:1'],
    layers: [
      [
        { name: './', mode: 0o755 },
        { name: 'other', content: 'o' },
      ],
    ],
  },
] as const;

let directory: TemporaryDirectory;
let store: Buffer;

beforeAll(async () => {
  directory = await temporaryDirectory('doctor');
  store = (await madeStore(IMAGES)).archive;
});
afterAll(() => directory[Symbol.asyncDispose]());

async function broken(archive: Buffer): Promise<readonly Rule[]> {
  const path = join(directory.path, 'store.tar');
  await writeFile(path, archive);
  const parts = await examineStore(path, { temporaryDirectory: tmpdir() });
  return [...new Set(parts.flatMap(({ problems }) => problems.map(({ rule }) => rule)))].sort();
}

type Change = (entry: StoreEntry) => readonly StoreEntry[];

const keep: Change = (entry) => [entry];
/** Applies a change to the entries whose names match. */
const on =
  (name: RegExp, change: Change): Change =>
  (entry) =>
    name.test(entry.name) ? change(entry) : [entry];
const without = (name: RegExp) => on(name, () => []);
const text = (name: RegExp, edit: (text: string) => string) =>
  on(name, (entry) => [{ ...entry, content: Buffer.from(edit(entry.content.toString('latin1')), 'latin1') }]);
const json = (name: RegExp, edit: (list: Record<string, unknown>[]) => unknown) =>
  text(name, (content) => JSON.stringify(edit(JSON.parse(content))));
const file = (name: string, content = ''): StoreEntry => ({
  ...impliedDirectory(0o644),
  name,
  type: 'file',
  content: Buffer.from(content),
});
const layers = /overlay-layers\/layers\.json$/;
const images = /overlay-images\/images\.json$/;
const first = (list: Record<string, unknown>[], fields: Record<string, unknown>) => [
  { ...list[0], ...fields },
  ...list.slice(1),
];

describe('the doctor of stores', () => {
  it('finds nothing wrong with what was made', async () => {
    expect(await broken(store)).toEqual([]);
    expect(await broken(await changed(store, keep))).toEqual([]);
    expect(await broken((await madeStore(IMAGES, { graphRoot: '', userXattr: true })).archive)).toEqual([]);
  });

  it.each<[Rule, Change, (readonly StoreEntry[])?]>([
    ['big-data', without(/\/manifest$/)],
    ['big-data', text(/\/manifest$/, (content) => `${content} `)],
    ['big-data', json(images, (list) => first(list, { digest: `sha256:${'0'.repeat(64)}` }))],
    ['chain', json(layers, (list) => list.slice(1))],
    ['chain', json(images, (list) => first(list, { layer: '0'.repeat(64) }))],
    [
      'containers-xattr',
      on(/diff\/etc\/motd$/, (entry) => [
        { ...entry, xattrs: new Map([['user.containers.override_stat', Buffer.from('0:0:0755')]]) },
      ]),
    ],
    ['diff-directory', without(/\/work\/$/)],
    ['diff-directory', without(/\/empty\/$/)],
    ['diff-size', json(layers, (list) => list.map(({ 'diff-size': _, ...layer }) => layer))],
    ['diff-size', json(layers, (list) => list.map(({ 'diff-digest': _, ...layer }) => layer))],
    ['diff-size', json(layers, (list) => first(list, { 'diff-size': 1 }))],
    ['diff-tree', on(/diff\/other$/, (entry) => [{ ...entry, mode: 0o600 }])],
    ['diff-tree', without(/diff\/etc\/link$/)],
    ['diff-tree', on(/diff\/usr\/lib\/$/, (entry) => [{ ...entry, xattrs: new Map() }])],
    ['diff-tree', keep, [file('store/overlay/ID/diff/more')]],
    ['duplicate-entry', on(/diff\/other$/, (entry) => [entry, entry])],
    ['hard-link', on(/diff\/etc\/link$/, (entry) => [{ ...entry, linkname: 'etc/shadow' }])],
    ['image-id', json(images, (list) => [...list, list[0]])],
    ['image-id', json(images, (list) => list.map((image) => ({ ...image, names: ['docker.io/library/a:1'] })))],
    ['image-id', text(/overlay-images\/[^/]+\/=c2hh[^/]*$/, (content) => `${content} `)],
    ['incomplete', json(layers, (list) => first(list, { flags: { incomplete: true } }))],
    ['layer-id', json(layers, (list) => [...list, list[0]])],
    ['layer-id', json(layers, (list) => list.map((layer) => ({ ...layer, names: ['one'] })))],
    ['tar-split', json(layers, (list) => first(list, { 'diff-digest': `sha256:${'0'.repeat(64)}` }))],
    ['link', text(/overlay\/[^/]+\/link$/, () => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ')],
    ['link', text(/overlay\/[^/]+\/link$/, (content) => `${content}\n`)],
    ['link', on(/overlay\/l\/[^/]+$/, (entry) => [{ ...entry, linkname: '/etc' }])],
    ['lock-files', without(/images\.lock$/)],
    ['lock-files', without(/layers\.lock$/)],
    ['lower', text(/\/lower$/, (content) => `${content}\n`)],
    ['lower', without(/\/lower$/)],
    ['lower-layers', text(/\/lower-layers$/, () => '0'.repeat(64))],
    ['modes', on(/^store\/overlay-layers\/$/, (entry) => [{ ...entry, mode: 0o755 }])],
    ['modes', on(/layers\.json$/, (entry) => [{ ...entry, uid: 1000 }])],
    ['orphan', keep, [file('store/overlay/x')]],
    ['orphan', json(layers, (list) => list.slice(0, -1))],
    ['outside', keep, [file('etc/cron.d/x')]],
    [
      'overlay-xattr',
      on(/diff\/etc\/motd$/, (entry) => [
        { ...entry, xattrs: new Map([['trusted.overlay.redirect', Buffer.from('/x')]]) },
      ]),
    ],
    ['records', text(layers, () => '[{')],
    ['tar-split', without(/tar-split\.gz$/)],
    ['tar-split', on(/diff\/other$/, (entry) => [{ ...entry, content: Buffer.from('O') }])],
    ['tar-split', on(/tar-split\.gz$/, (entry) => [{ ...entry, content: entry.content.subarray(0, 40) }])],
    ['whiteout-files', keep, [file('store/overlay/ID/diff/.wh.motd')]],
    ['work', keep, [file('store/overlay/ID/work/incompat/volatile')]],
  ])('names the rule %s where it is broken', async (rule, change, more = []) => {
    const [, id = ''] = /store\/overlay\/([0-9a-f]{64})\//.exec(store.toString('latin1')) ?? [];
    const added = more.map((entry) => ({ ...entry, name: entry.name.replace('ID', id) }));
    expect(await broken(await changed(store, change, added))).toContain(rule);
  });

  it.each<[string, Change]>([
    ['layers in another order', json(layers, (list) => list.toReversed())],
    ['images with other names and times', json(images, (list) => first(list, { names: ['x'], created: 'long ago' }))],
    ['other owners than it records', json(layers, (list) => first(list, { uidset: [0, 7] }))],
    ['layers that were unmounted', without(/\/merged\/$/)],
  ])('leaves to other tools what does not matter: %s', async (_, change) => {
    expect(await broken(await changed(store, change))).toEqual([]);
  });

  it('takes a layer by what podman calls it, and by its table of contents where its digest is not known', async () => {
    let id = '';
    const upper = json(layers, (list) => {
      id = String(list.find(({ parent }) => parent !== undefined)?.id);
      return list;
    });
    await changed(store, upper);
    const renamed = (value: string) => value.replaceAll(id, 'f'.repeat(64));
    const everywhere: Change = (entry) => [
      {
        ...entry,
        name: renamed(entry.name),
        linkname: renamed(entry.linkname),
        content: /json$|lower-layers$/.test(entry.name) ? Buffer.from(renamed(String(entry.content))) : entry.content,
      },
    ];
    expect(await broken(await changed(store, everywhere))).toEqual([]);
    const byContents = json(layers, (list) =>
      list.map(({ 'diff-digest': digest, ...layer }) => ({ ...layer, 'toc-digest': digest })),
    );
    expect(await broken(await changed(store, byContents))).toEqual([]);
  });

  it.each([
    ['layers.json', layers],
    ['volatile-layers.json', /$^/],
  ])('finds nothing wrong with what containers left, recorded in %s', async (_, record) => {
    const [, id = ''] = /store\/overlay\/([0-9a-f]{64})\//.exec(store.toString('latin1')) ?? [];
    const [, link = ''] = /store\/overlay\/l\/([A-Z2-7]{26})/.exec(store.toString('latin1')) ?? [];
    const links = new Map<string, string>();
    await changed(store, (entry) => {
      if (entry.linkname.endsWith(`${id}/diff`)) links.set(id, entry.name.slice('store/overlay/l/'.length));
      return [entry];
    });
    const [container, own] = ['c'.repeat(64), 'C'.repeat(26)];
    const parents = new Map<string, string | undefined>();
    const layer = { id: container, parent: id, created: '2026-01-01T00:00:00Z' };
    const add = json(record, (list) => {
      for (const one of list) parents.set(String(one.id), one.parent as string | undefined);
      return [...list, layer];
    });
    const directory = (name: string, mode = 0o700): StoreEntry => ({
      ...file(name),
      ...impliedDirectory(mode),
      name,
      content: Buffer.alloc(0),
    });
    expect(link).not.toBe('');
    const more = [
      directory(`store/overlay/${container}/`),
      {
        ...directory(`store/overlay/${container}/diff/`, 0o755),
        xattrs: new Map([['trusted.overlay.impure', Buffer.from('y')]]),
      },
      directory(`store/overlay/${container}/work/`),
      directory(`store/overlay/${container}/work/work/`, 0),
      file(`store/overlay/${container}/link`, own),
      file(`store/overlay/${container}/lower`, `l/${links.get(id)}`),
      { ...file(`store/overlay/l/${own}`), type: 'symlink' as const, linkname: `../${container}/diff` },
      directory(`store/overlay-containers/${container}/`),
      { ...file(`store/overlay-containers/${container}/userdata/ctr.log`), uid: 1000 },
      ...(record === layers ? [] : [file('store/overlay-layers/volatile-layers.json', JSON.stringify([layer]))]),
    ];
    expect(await broken(await changed(store, add, more))).toEqual([]);
  });

  it('reports what differs in a tree', async () => {
    const path = join(directory.path, 'store.tar');
    const attributes: Change = (entry) => [{ ...entry, mode: 0o600, xattrs: new Map([['user.x', Buffer.from('y')]]) }];
    await writeFile(path, await changed(store, on(/diff\/other$/, attributes)));
    const parts = await examineStore(path, { temporaryDirectory: tmpdir() });
    const texts = parts.flatMap(({ problems }) => problems.map((problem) => problem.text));
    expect(texts).toEqual(['/other has another mode', '/other has other attributes']);
  });

  it('refuses an archive that holds no store', async () => {
    await expect(broken(await changed(store, without(images)))).rejects.toMatchObject({ code: 'TAR_INVALID' });
    await expect(examineStore(join(directory.path, 'none'), { temporaryDirectory: tmpdir() })).rejects.toMatchObject({
      code: 'FILE_UNREADABLE',
    });
  });
});
