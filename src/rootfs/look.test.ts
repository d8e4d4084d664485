import { describe, expect, it } from 'vitest';
import { applyLayers } from './apply-layers.ts';
import { diffTrees } from './diff-trees.ts';
import { layerInstructions } from './instructions.ts';
import { indexLayers } from './layer-index.ts';
import { layerOf, type TestEntry } from './testing/layers.ts';
import { usageOf } from './usage.ts';
import { storyOf } from './why.ts';

async function image(...layers: readonly (readonly TestEntry[])[]) {
  const stack = await Promise.all(layers.map((entries) => layerOf(entries)));
  const indexes = await indexLayers(stack);
  return { layers: stack, indexes, tree: applyLayers(indexes) };
}

const at = (seconds: number) => ({ mtime: { seconds, nanoseconds: 0 } });

describe('the differences of two images', () => {
  it('are the added, the removed and the changed files, with what changed', async () => {
    const before = await image([
      { name: 'd/' },
      { name: 'd/same', content: 'same' },
      { name: 'd/content', content: 'abc' },
      { name: 'd/gone', content: 'x' },
      { name: 'd/mode', content: 'm', mode: 0o644 },
      { name: 'd/time', content: 't', ...at(1) },
      { name: 'd/type', content: 'y' },
      { name: 'link', linkname: 'd' },
    ]);
    const after = await image([
      { name: 'd/' },
      { name: 'd/same', content: 'same' },
      { name: 'd/content', content: 'abd' },
      { name: 'd/mode', content: 'm', mode: 0o4755, uid: 5, xattrs: new Map([['user.x', Buffer.from('1')]]) },
      { name: 'd/new', content: 'n' },
      { name: 'd/time', content: 't', mtime: { seconds: 1, nanoseconds: 5 } },
      { name: 'd/type', linkname: 'same' },
      { name: 'link', linkname: 'e' },
    ]);
    const found = await diffTrees(before, after);
    expect(found.map(({ path, change, aspects }) => `${change} ${path} ${aspects.join(',')}`.trim())).toEqual([
      'changed d/content content',
      'removed d/gone',
      'changed d/mode mode,owner,xattr',
      'added d/new',
      'changed d/time time',
      'changed d/type type',
      'changed link link',
    ]);
  });

  it('ask for no content of a layer that both have', async () => {
    const base = await layerOf([{ name: 'big', content: 'b'.repeat(5000) }]);
    const upper = await layerOf([{ name: 'small', content: 's' }]);
    const indexes = await indexLayers([base, upper]);
    const before = { layers: [base], tree: applyLayers(indexes.slice(0, 1)) };
    const after = { layers: [base, upper], tree: applyLayers(indexes) };
    const opened = base.reads.opened;
    expect((await diffTrees(before, after)).map(({ path }) => path)).toEqual(['small']);
    expect(base.reads.opened).toBe(opened);
  });

  it('are none where the same files come in other layers', async () => {
    const one = await image([
      { name: 'a', content: '1' },
      { name: 'b', content: '2' },
    ]);
    const two = await image([{ name: 'a', content: '1' }], [{ name: 'b', content: '2' }]);
    expect(await diffTrees(one, two)).toEqual([]);
  });
});

describe('the usage of an image', () => {
  it('says what each layer holds, and what later layers hide of it', async () => {
    const { indexes } = await image(
      [
        { name: 'a', content: '1234' },
        { name: 'd/b', content: '12' },
        { name: 'd/c', content: '1' },
      ],
      [{ name: 'a', content: '123456' }, { name: 'd/.wh.b' }],
      [{ name: 'a', type: 'hardlink', linkname: 'd/c' }],
    );
    const usage = usageOf(indexes);
    expect(usage.layers).toEqual([
      { entries: 3, bytes: 7, wasted: 6 },
      { entries: 2, bytes: 6, wasted: 6 },
      { entries: 1, bytes: 0, wasted: 0 },
    ]);
    expect(usage.wasted).toEqual([
      { path: 'a', bytes: 6, layer: 1, by: 2 },
      { path: 'a', bytes: 4, layer: 0, by: 1 },
      { path: 'd/b', bytes: 2, layer: 0, by: 1 },
    ]);
    expect(usage.root).toMatchObject({ bytes: 1, files: 2, children: [{ path: 'd', bytes: 0, files: 1 }] });
  });

  it('counts a file as wasted only when its last name is gone', async () => {
    const base = [
      { name: 'a', content: '1234' },
      { name: 'b', type: 'hardlink' as const, linkname: 'a' },
    ];
    expect(usageOf((await image(base, [{ name: '.wh.a' }])).indexes).wasted).toEqual([]);
    expect(usageOf((await image(base, [{ name: '.wh.a' }], [{ name: '.wh.b' }])).indexes).wasted).toEqual([
      { path: 'b', bytes: 4, layer: 0, by: 2 },
    ]);
  });
});

describe('the story of a path', () => {
  it('tells each layer that wrote, rewrote and deleted it', async () => {
    const { indexes } = await image(
      [{ name: 'd/' }, { name: 'd/a', content: '1' }],
      [{ name: 'x', content: 'y' }],
      [{ name: 'd/a', content: '22' }],
      [{ name: 'd/.wh.a' }],
      [{ name: 'd/a', content: '333' }],
    );
    const { events } = storyOf(indexes, 'd/a');
    expect(events.map(({ layer, change, header }) => [layer, change, header.size])).toEqual([
      [0, 'written', 1],
      [2, 'rewritten', 2],
      [3, 'deleted', 2],
      [4, 'written', 3],
    ]);
  });

  it('goes through the links that lead to its directory, and is empty where there was never anything', async () => {
    const { indexes } = await image([
      { name: 'lib', linkname: 'usr/lib' },
      { name: 'usr/lib/x', content: '1' },
    ]);
    expect(storyOf(indexes, 'lib/x')).toMatchObject({ path: 'usr/lib/x', events: [{ layer: 0, change: 'written' }] });
    expect(storyOf(indexes, 'nothing').events).toEqual([]);
  });
});

describe('the instruction of a layer', () => {
  const config = { platform: { os: 'linux', architecture: 'amd64' }, env: [], labels: {} };
  const diffIds = [`sha256:${'a'.repeat(64)}`, `sha256:${'b'.repeat(64)}`] as const;

  it('is read from the history, in whatever way a builder wrote it', () => {
    const history = [
      { created_by: '/bin/sh -c #(nop) ADD file:abc in / ' },
      { created_by: '/bin/sh -c #(nop)  CMD ["sh"]', empty_layer: true },
      { created_by: 'RUN /bin/sh -c apk add  jq # buildkit' },
    ];
    expect(layerInstructions({ ...config, diffIds, history })).toEqual(['ADD file:abc in /', 'RUN apk add jq']);
    expect(
      layerInstructions({ ...config, diffIds: diffIds.slice(1), history: [{ created_by: '|1 a=b /bin/sh -c x' }] }),
    ).toEqual(['RUN x']);
  });

  it('is not guessed if history and layers do not match', () => {
    expect(layerInstructions({ ...config, diffIds, history: [{ created_by: 'x' }] })).toEqual(['', '']);
  });
});
