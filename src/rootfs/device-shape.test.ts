// The form without attributes: every layer is written upon those below, read back, and mounted by the rules of overlayfs.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { rounds, timeFor } from '../../test/testing/soak.ts';
import { isImagesError } from '../oci/errors.ts';
import { applyLayers } from './apply-layers.ts';
import { type DeviceShape, deviceShape } from './device-shape.ts';
import { indexLayer } from './layer-index.ts';
import { type LayerDirectory, type LayerName, layerNames, shownBelow } from './layer-names.ts';
import { layerOf, type TestEntry } from './testing/layers.ts';
import { DIRECTORY, type Formed, formOf } from './testing/overlay.ts';
import { walk } from './tree.ts';

interface Stack {
  readonly forms: readonly Formed[];
  /** What was really written, the base first. */
  readonly written: readonly LayerDirectory[];
  /** What the writer has noted of it. */
  readonly noted: readonly LayerDirectory[];
  readonly usage: readonly { readonly inodes: number; readonly size: number }[];
}

async function stacked(...layers: readonly (readonly TestEntry[])[]): Promise<Stack> {
  const made = await Promise.all(layers.map((entries) => layerOf(entries)));
  const stack = {
    forms: [] as Formed[],
    written: [] as LayerDirectory[],
    noted: [] as LayerDirectory[],
    usage: [] as { inodes: number; size: number }[],
  };
  for (const [at, layer] of made.entries()) {
    let shape: DeviceShape | undefined;
    const below = shownBelow(stack.noted.toReversed());
    const form = await formOf(layer, {
      below: made.slice(0, at),
      onlyDevices: true,
      reshape(own) {
        shape = deviceShape(own, below, { directory: DIRECTORY, onlyDevices: true });
        return shape;
      },
    });
    const names = layerNames();
    for (const [path, file] of form.files) names.add(path.replace(/\/$/, ''), file);
    stack.forms.push(form);
    stack.written.push(names.root);
    stack.noted.push(shape?.root ?? names.root);
    stack.usage.push(shape?.usage() ?? { inodes: 0, size: 0 });
  }
  return stack;
}

/** The paths that a mount of the layers shows; directories end with a slash. */
function mounted({ written }: Pick<Stack, 'written'>): readonly string[] {
  const shown = shownBelow(written.toReversed());
  const paths: string[] = [];
  const list = (path: string): void => {
    const found = shown.at(path);
    if (typeof found !== 'object') {
      paths.push(path);
      return;
    }
    if (path !== '') paths.push(`${path}/`);
    for (const name of found.names()) list(path === '' ? name : `${path}/${name}`);
  };
  list('');
  return paths.sort();
}

/** The whiteouts in a layer. */
function gone(directory: LayerDirectory, path = ''): readonly string[] {
  return [...directory.names].flatMap(([name, one]: [string, LayerName]) => {
    const here = path === '' ? name : `${path}/${name}`;
    return one === 'gone' ? [here] : typeof one === 'object' ? gone(one, here) : [];
  });
}

const BASE: readonly TestEntry[] = [
  { name: 'd/', mode: 0o750, uid: 5, gid: 6 },
  { name: 'd/a', content: 'a' },
  { name: 'd/sub/', mode: 0o700 },
  { name: 'd/sub/b', content: 'b' },
  { name: 'f', content: 'f' },
];

describe('a layer with whiteouts instead of attributes', () => {
  it('hides each name of an opaque directory, and goes on in directories that it has itself', async () => {
    const stack = await stacked(BASE, [{ name: 'd/.wh..wh..opq' }, { name: 'd/sub/new', content: 'n' }]);
    expect(mounted(stack)).toEqual(['d/', 'd/sub/', 'd/sub/new', 'f']);
    expect(gone(stack.written[1] as LayerDirectory).toSorted()).toEqual(['d/a', 'd/sub/b']);
    expect([...(stack.forms[1]?.files.values() ?? [])].every(({ xattrs }) => xattrs.size === 0)).toBe(true);
  });

  it('has no whiteout over nothing', async () => {
    const stack = await stacked([{ name: '.wh.x' }, { name: 'a/.wh.y' }], BASE, [
      { name: 'f/.wh.g' },
      { name: 'd/.wh.nothing' },
    ]);
    expect(stack.written.map((one) => gone(one))).toEqual([[], [], []]);
    expect(mounted(stack)).toContain('f');
    const again = await stacked(BASE, [{ name: '.wh.f' }], [{ name: '.wh.f' }]);
    expect(again.written.map((one) => gone(one))).toEqual([[], ['f'], []]);
  });

  it('makes a directory that a layer deletes and makes anew opaque', async () => {
    const stack = await stacked(BASE, [{ name: '.wh.d' }, { name: 'd/' }, { name: 'd/new', content: 'n' }]);
    expect(mounted(stack)).toEqual(['d/', 'd/new', 'f']);
    expect(stack.forms[1]?.plain).toBe(false);
  });

  it('gives directories without an entry what the layers below show', async () => {
    const { forms } = await stacked(BASE, [{ name: 'd/sub/x' }, { name: 'new/y' }], [{ name: 'd/z' }]);
    expect(forms[1]?.files.get('d/')).toMatchObject({ mode: 0o750, uid: 5, gid: 6 });
    expect(forms[1]?.files.get('d/sub/')).toMatchObject({ mode: 0o700 });
    expect(forms[1]?.files.get('new/')).toMatchObject({ mode: 0o755, uid: 0 });
    expect(forms[2]?.files.get('d/')).toMatchObject({ mode: 0o750, uid: 5, gid: 6 });
    expect(forms[0]?.files.get('')).toMatchObject({ mode: 0o755, uid: 0 });
  });

  it('gives them nothing of what an opaque directory hides', async () => {
    const { forms } = await stacked(BASE, [{ name: 'd/.wh..wh..opq' }, { name: 'd/sub/x' }]);
    expect(forms[1]?.files.get('d/')).toMatchObject({ mode: 0o750, uid: 5 });
    expect(forms[1]?.files.get('d/sub/')).toMatchObject({ mode: 0o755, uid: 0 });
  });

  it('gives its root what the layers below show, and 0755 to a first one', async () => {
    const { forms } = await stacked([{ name: './', mode: 0o711, uid: 3 }], [{ name: 'x' }]);
    expect(forms[1]?.files.get('')).toMatchObject({ mode: 0o711, uid: 3 });
  });

  it('drops attributes by which overlayfs could be told where files are', async () => {
    const xattrs = new Map([
      ['trusted.overlay.redirect', Buffer.from('/etc')],
      ['trusted.x', Buffer.from('y')],
      ['user.x', Buffer.from('z')],
    ]);
    const { forms } = await stacked([{ name: 'f', content: 'f', xattrs }]);
    expect([...(forms[0]?.files.get('f')?.xattrs.keys() ?? [])]).toEqual(['user.x']);
  });

  it('counts what it takes on a disk', async () => {
    const { usage } = await stacked([
      { name: 'd/' },
      { name: 'd/f', content: Buffer.alloc(5000) },
      { name: 'd/g', type: 'hardlink', linkname: 'd/f' },
    ]);
    expect(usage).toEqual([{ inodes: 3, size: 4096 * 4 }]);
  });
});

/** Few names, so that entries often have the same one. */
const anEntry: fc.Arbitrary<TestEntry> = fc
  .record({
    path: fc.array(fc.constantFrom('a', 'b', 'c', '.wh.a', '.wh.b', '.wh..wh..opq'), { minLength: 1, maxLength: 3 }),
    kind: fc.constantFrom('file', 'file', 'directory', 'symlink', 'hardlink'),
    target: fc.array(fc.constantFrom('a', 'b', 'c'), { minLength: 1, maxLength: 2 }),
  })
  .map(({ path, kind, target }): TestEntry => {
    const clean = path.map((part, at) => (at < path.length - 1 ? part.replace(/^\.wh\..*/, 'd') : part));
    const name = clean.join('/');
    if (clean.at(-1)?.startsWith('.wh.')) return { name };
    if (kind === 'directory') return { name: `${name}/` };
    if (kind === 'symlink') return { name, linkname: `/${target.join('/')}` };
    if (kind === 'hardlink') return { name, type: 'hardlink', linkname: target.join('/') };
    return { name, content: 'x' };
  });
const aLayer = fc.array(anEntry, { maxLength: 7 });

describe('any layers upon each other', () => {
  it('show what applying them gives, with no whiteout over nothing', { timeout: timeFor(60_000) }, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(aLayer, { minLength: 1, maxLength: 4 }), async (layers) => {
        let stack: Stack;
        let expected: readonly string[];
        try {
          stack = await stacked(...layers);
          const indexes = await Promise.all(layers.map(async (entries) => indexLayer(await layerOf(entries))));
          expected = [...walk(applyLayers(indexes).root)].flatMap(({ path, node }) =>
            path === '' ? [] : [node.children ? `${path}/` : path],
          );
        } catch (error) {
          // Links to nothing, to directories or in a circle.
          expect(isImagesError(error, 'TAR_INVALID'), String(error)).toBe(true);
          return;
        }
        expect(withoutEmpty(mounted(stack))).toEqual(withoutEmpty(expected));
        for (const [at, layer] of stack.written.entries()) {
          const below = shownBelow(stack.written.slice(0, at).toReversed());
          for (const path of gone(layer)) expect(below.at(path), path).toBeDefined();
          expect(new Set(stack.forms[at]?.names).size).toBe(stack.forms[at]?.names.length);
        }
        expect(mounted({ written: stack.noted })).toEqual(mounted(stack));
      }),
      { numRuns: rounds(150) },
    );
  });
});

/** A whiteout in a missing directory creates the directory, and what is no directory below may become one. */
function withoutEmpty(paths: readonly string[]): readonly string[] {
  const files = paths.filter((path) => !path.endsWith('/'));
  return paths.filter((path) => files.some((file) => file.startsWith(path))).toSorted();
}
