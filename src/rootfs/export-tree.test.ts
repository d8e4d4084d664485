import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { needs } from '../../test/peers/find.ts';
import { rounds, timeFor } from '../../test/testing/soak.ts';
import { readTar } from '../tar/reader.ts';
import { applyLayers } from './apply-layers.ts';
import { exportTree } from './export-tree.ts';
import { indexLayers } from './layer-index.ts';
import { layerOf, type TestEntry } from './testing/layers.ts';

async function exported(...layers: readonly (readonly TestEntry[])[]): Promise<Uint8Array> {
  const stack = await Promise.all(layers.map((entries) => layerOf(entries, { gzip: true })));
  const tree = applyLayers(await indexLayers(stack));
  return Buffer.concat(await Array.fromAsync(exportTree(tree, stack)));
}

async function entriesOf(archive: Uint8Array): Promise<readonly string[]> {
  async function* bytes() {
    yield archive;
  }
  const lines: string[] = [];
  for await (const { name, type, linkname, body } of readTar(bytes())) {
    const content = Buffer.concat(await Array.fromAsync(body)).toString();
    lines.push(`${type} ${name}${linkname && ` → ${linkname}`}${content && ` = ${content.slice(0, 20)}`}`);
  }
  return lines;
}

/** Cuts bytes into portions; with `waits`, all that is ready goes before each. */
async function* portionsOf(bytes: Uint8Array, size: number, waits: boolean): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) {
    if (waits) await new Promise(setImmediate);
    yield bytes.subarray(at, at + size);
  }
}

describe('an exported file system', () => {
  it('has each file once, from the layer that wins, and directories last', async () => {
    const archive = await exported(
      [{ name: './d/' }, { name: './d/a', content: 'old' }, { name: './d/b', content: 'b' }],
      [{ name: 'd/a', content: 'new' }, { name: 'l', linkname: 'd/a' }, { name: 'gone/' }],
      [{ name: '.wh.gone' }],
    );
    const lines = await entriesOf(archive);
    expect(lines.toSorted()).toEqual([
      'directory ./',
      'directory d/',
      'file d/a = new',
      'file d/b = b',
      'symlink l → d/a',
    ]);
    expect(lines.slice(-2)).toEqual(['directory ./', 'directory d/']);
  });

  it('gives a hard link the content if the name it was made from is another file now', async () => {
    const lines = await entriesOf(
      await exported(
        [
          { name: 'a', content: 'old' },
          { name: 'b', type: 'hardlink', linkname: 'a' },
          { name: 'c', type: 'hardlink', linkname: 'a' },
        ],
        [{ name: 'a', content: 'new' }],
      ),
    );
    expect(lines.slice(0, -1).toSorted()).toEqual(['file a = new', 'file b = old', 'hardlink c → b']);
    expect(lines.indexOf('file b = old')).toBeLessThan(lines.indexOf('hardlink c → b'));
  });

  it('is the same bytes each time if one layer has all files', async () => {
    const layer = [
      { name: 'x/y', content: 'z'.repeat(70_000) },
      { name: 'a', content: '1' },
    ];
    expect(Buffer.compare(await exported(layer), await exported(layer))).toBe(0);
  });

  it('is the same bytes each time, however fast its layers come and in whatever portions', async () => {
    const layers = ['a', 'b', 'c'].map((name, layer) =>
      Array.from({ length: 40 }, (_, at) => ({
        name: `${name}${at}`,
        content: Buffer.alloc(150_000 + layer * at * 5000, at),
      })),
    );
    const stack = await Promise.all(layers.map((entries) => layerOf(entries)));
    const quickly = stack.map((layer) => ({ ...layer, open: async () => portionsOf(layer.archive, 1 << 20, false) }));
    const tree = applyLayers(await indexLayers(quickly));
    const exportedWith = async (slow: number, portion: number): Promise<Uint8Array> => {
      const open = async (archive: Uint8Array, waits: boolean) => portionsOf(archive, portion, waits);
      const timed = stack.map((layer, at) => ({ ...layer, open: () => open(layer.archive, at === slow) }));
      return Buffer.concat(await Array.fromAsync(exportTree(tree, timed)));
    };
    const first = await exportedWith(0, 64 << 10);
    for (const [slow, portion] of [
      [1, 64 << 10],
      [2, 100_000],
      [0, 3 << 20],
    ] as const)
      expect(Buffer.compare(first, await exportedWith(slow, portion))).toBe(0);
  });
});

interface Node {
  readonly kind: 'file' | 'symlink' | 'directory' | 'fifo' | 'hardlink';
  readonly content: string;
  readonly mode: number;
  readonly owner: number;
  readonly seconds: number;
}

/** A layer by path. It is consistent, so that a directory can hold it. */
type Model = ReadonlyMap<string, Node | 'whiteout' | 'opaque'>;

const names = fc.constantFrom('a', 'b', 'c');
const paths = fc.array(names, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('/'));
const node: fc.Arbitrary<Node> = fc.record({
  kind: fc.constantFrom('file', 'file', 'symlink', 'directory', 'fifo', 'hardlink'),
  content: fc.string({ maxLength: 5, unit: 'grapheme-ascii' }).map((text) => text.replaceAll('/', '_')),
  mode: fc.constantFrom(0o644, 0o755, 0o4711, 0o1777, 0o600),
  owner: fc.constantFrom(0, 1000, 3_000_000),
  seconds: fc.integer({ min: 1, max: 1_700_000_000 }),
});
const mark = fc.constantFrom('whiteout', 'opaque');
const model: fc.Arbitrary<Model> = fc
  .array(fc.tuple(paths, fc.oneof({ weight: 4, arbitrary: node }, { weight: 1, arbitrary: mark })), {
    minLength: 1,
    maxLength: 8,
  })
  .map((entries) => consistent(entries as readonly (readonly [string, Node | 'whiteout' | 'opaque'])[]));

function consistent(entries: readonly (readonly [string, Node | 'whiteout' | 'opaque'])[]): Model {
  const layer = new Map<string, Node | 'whiteout' | 'opaque'>();
  const directory: Node = { kind: 'directory', content: '', mode: 0o755, owner: 0, seconds: 1000 };
  const isDirectory = (path: string): boolean => {
    const there = layer.get(path);
    return there === 'opaque' || (typeof there === 'object' && there.kind === 'directory');
  };
  for (const [path, what] of entries) {
    const parents = path
      .split('/')
      .slice(0, -1)
      .map((_, at, all) => all.slice(0, at + 1).join('/'));
    if (layer.has(path) || parents.some((parent) => layer.has(parent) && !isDirectory(parent))) continue;
    for (const parent of parents) if (!layer.has(parent)) layer.set(parent, directory);
    if (typeof what === 'object' && what.kind === 'hardlink') {
      const target = [...layer].find(([, each]) => typeof each === 'object' && each.kind === 'file')?.[0];
      if (target !== undefined) layer.set(path, { ...what, content: target });
    } else layer.set(path, what);
  }
  return layer;
}

function entriesOfModel(layer: Model): readonly TestEntry[] {
  return [...layer].flatMap(([path, what]): readonly TestEntry[] => {
    const [parent, base] = [path.slice(0, path.lastIndexOf('/') + 1), path.slice(path.lastIndexOf('/') + 1)];
    if (what === 'whiteout') return [{ name: `${parent}.wh.${base}` }];
    const at = { mtime: { seconds: what === 'opaque' ? 1000 : what.seconds, nanoseconds: 0 } };
    if (what === 'opaque') return [{ name: `${path}/`, ...at }, { name: `${path}/.wh..wh..opq` }];
    const meta = { mode: what.mode, uid: what.owner, gid: what.owner, ...at };
    switch (what.kind) {
      case 'directory':
        return [{ name: `${path}/`, ...meta }];
      case 'symlink':
        return [{ name: path, ...meta, mode: 0o777, linkname: what.content || 'x' }];
      case 'hardlink':
        return [{ name: path, type: 'hardlink', linkname: what.content, ...meta }];
      case 'fifo':
        return [{ name: path, type: 'fifo', ...meta }];
      default:
        return [{ name: path, content: what.content, ...meta }];
    }
  });
}

/** A script that makes the layer in overlayfs's form in the current directory. */
function scriptOf(layer: Model): string {
  const quote = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;
  const lines = [...layer].flatMap(([path, what]): readonly string[] => {
    const name = `./${path}`;
    if (what === 'whiteout') return [`mknod ${name} c 0 0`];
    if (what === 'opaque') return [`mkdir -p ${name}`, `setfattr -n trusted.overlay.opaque -v y ${name}`];
    const meta = [`chown -h ${what.owner}:${what.owner} ${name}`];
    const mode = `chmod ${what.mode.toString(8)} ${name}`;
    const touch = `touch -h -d @${what.seconds} ${name}`;
    switch (what.kind) {
      case 'directory':
        return [`mkdir -p ${name}`, ...meta, mode];
      case 'symlink':
        return [`ln -s -- ${quote(what.content || 'x')} ${name}`, ...meta, touch];
      case 'hardlink':
        return [`ln ./${what.content} ${name}`, ...meta, mode, touch];
      case 'fifo':
        return [`mkfifo ${name}`, ...meta, mode, touch];
      default:
        return [`printf %s ${quote(what.content)} > ${name}`, ...meta, mode, touch];
    }
  });
  const times = [...layer].toReversed().flatMap(([path, what]) => {
    if (what === 'opaque') return [`touch -d @1000 ./${path}`];
    return typeof what === 'object' && what.kind === 'directory' ? [`touch -d @${what.seconds} ./${path}`] : [];
  });
  // Deeper directories first, because adding a file to a directory changes its time.
  return [...lines, ...times.sort((a, b) => b.split('/').length - a.split('/').length)].join('\n');
}

describe('a stack of layers', () => {
  const { missing, why } = needs('root', 'setfattr', 'tar', 'mount');
  it.skipIf(missing)(
    `is like a mount of overlayfs over the layers${why}`,
    async () => {
      const top = mkdtempSync(join(tmpdir(), 'images-overlay-'));
      const inTop = (script: string): string =>
        execFileSync('unshare', ['-m', 'bash', '-euc', script], {
          cwd: top,
          encoding: 'utf8',
          stdio: ['ignore', 'pipe', 'ignore'],
          maxBuffer: 1 << 26,
        });
      const look = `find . -mindepth 1 \\( -type d -printf '%P %y %m %U:%G %T@\\n' -o -printf '%P %y %m %U:%G %T@ %s %l\\n' \\) | LC_ALL=C sort; find . -type f -exec sha256sum {} + | LC_ALL=C sort -k 2`;
      try {
        await fc.assert(
          fc.asyncProperty(fc.array(model, { minLength: 2, maxLength: 4 }), async (layers) => {
            writeFileSync(join(top, 'export.tar'), await exported(...layers.map(entriesOfModel)));
            const lower = layers.map((_, at) => `l${at}`).reverse();
            const seen = inTop(
              [
                'rm -rf w; mkdir w; cd w; mkdir merged flat',
                ...layers.map((layer, at) => `mkdir l${at}; (cd l${at}\n${scriptOf(layer)}\n)`),
                `mount -t overlay overlay -o lowerdir=${lower.join(':')} merged`,
                'tar -C flat -xpf ../export.tar --same-owner',
                `(cd merged; ${look}); echo ====; (cd flat; ${look})`,
              ].join('\n'),
            );
            const [merged, flat] = seen.split('====\n');
            expect(flat).toBe(merged);
          }),
          // Each starts a program for every change of its layers.
          { numRuns: rounds(4) },
        );
      } finally {
        rmSync(top, { recursive: true, force: true });
      }
    },
    timeFor(120_000),
  );
});
