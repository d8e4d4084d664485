// The charts of one scan, each file and archive read once, however often charts name it, within what all of them may cost.
import { createHash } from 'node:crypto';
import { isImagesError } from '../../oci/errors.ts';
import type { FileTree } from '../contract.ts';
import { withPatterns } from '../patterns.ts';
import { chartIn, type PackedChart, type Unpacked, type UnreadableChart, unpackChart } from './chart-archive.ts';
import { type ChartBudget, COST, createChartBudget } from './chart-budget.ts';
import { type ChartParts, readParts } from './chart-parts.ts';

export interface ChartReader {
  readonly budget: ChartBudget;
  /** Looks into one chart; `file` is named where it costs too much. Undefined then. Nothing of what is read for it is kept. */
  look<T>(file: string, run: () => Promise<T>): Promise<T | undefined>;
  /** What is in a chart's directory. */
  parts(tree: FileTree, directory: string): Promise<ChartParts>;
  /** The packed chart in a file of the tree; undefined for an archive of something else. Errors: TAR_INVALID. */
  open(tree: FileTree, file: string): Promise<PackedChart | UnreadableChart | undefined>;
  /** The same of bytes that stand elsewhere; `file` is how findings call them. */
  openBytes(file: string, bytes: Uint8Array): Promise<PackedChart | UnreadableChart | undefined>;
}

/** Unpacked archives are kept up to so many bytes: those that others name again and again are small. */
const MAX_KEPT = 128 << 20;

export function createChartReader(): ChartReader {
  const budget = createChartBudget();
  let parts = new WeakMap<FileTree, Map<string, ChartParts>>();
  let charts = new WeakMap<FileTree, Map<string, PackedChart | UnreadableChart | undefined>>();
  const open = createUnpacker(budget);
  const reader: ChartReader = {
    budget,
    look: async (file, run) => {
      parts = new WeakMap();
      charts = new WeakMap();
      return await budget.forChart(file, () => withPatterns(run));
    },
    parts: (tree, directory) =>
      remembered(parts, tree, directory, async () => {
        const read = await readParts(tree, directory);
        budget.spend(read.size * COST.kept + read.below.length * COST.file);
        return read;
      }),
    open: (tree, file) => remembered(charts, tree, file, async () => reader.openBytes(file, await tree.bytes(file))),
    openBytes: async (file, bytes) => {
      const unpacked = await open(bytes);
      budget.spend(unpacked.contents.size * COST.file);
      return chartIn(file, unpacked);
    },
  };
  return reader;
}

async function remembered<T>(
  memory: WeakMap<FileTree, Map<string, T>>,
  tree: FileTree,
  key: string,
  read: () => Promise<T>,
): Promise<T> {
  const known = memory.get(tree) ?? new Map<string, T>();
  memory.set(tree, known);
  if (known.has(key)) return known.get(key) as T;
  const value = await read();
  known.set(key, value);
  return value;
}

/** By the bytes of archives: copies of one, in whatever archives they lie, are unpacked once. */
function createUnpacker(budget: ChartBudget): (bytes: Uint8Array) => Promise<Unpacked> {
  const known = new Map<string, Unpacked | Error>();
  let kept = 0;
  return async (bytes) => {
    budget.spend(bytes.length);
    const digest = createHash('sha256').update(bytes).digest('hex');
    const before = known.get(digest);
    if (before instanceof Error) throw before;
    if (before) return before;
    try {
      const unpacked = await unpackChart(bytes, (count) => budget.spend(count * COST.kept));
      kept += unpacked.bytes;
      if (kept > MAX_KEPT) {
        known.clear();
        kept = unpacked.bytes;
      }
      known.set(digest, unpacked);
      return unpacked;
    } catch (error) {
      if (isImagesError(error, 'TAR_INVALID')) known.set(digest, error);
      throw error;
    }
  };
}
