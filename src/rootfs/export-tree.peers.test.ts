// Exported file systems beside mounts of overlayfs.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { needs } from '../../test/peers/find.ts';
import { rounds, timeFor } from '../../test/testing/soak.ts';
import { exported } from './testing/exported.ts';
import type { TestEntry } from './testing/layers.ts';

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
          { numRuns: rounds(8) },
        );
      } finally {
        rmSync(top, { recursive: true, force: true });
      }
    },
    timeFor(120_000),
  );
});
