// Reads the charts of one scan. Each file and archive is read once, however often charts refer to it, within a common budget.
import { createHash } from 'node:crypto';
import { isImagesError } from '../../oci/errors.ts';
import type { DocumentRule, FileTree } from '../contract.ts';
import { cluesOf } from '../may-matter.ts';
import { withPatterns } from '../patterns.ts';
import { chartIn, type PackedChart, type Unpacked, type UnreadableChart, unpackChart } from './chart-archive.ts';
import { CHART_LIMITS, type ChartBudget, type ChartLimits, COST, createChartBudget } from './chart-budget.ts';
import { type ChartParts, readParts } from './chart-parts.ts';

export interface ChartReader {
  readonly budget: ChartBudget;
  /** Examines one chart. If it exceeds the budget, returns `undefined` and adds a warning that names `file`. The caches of files and charts are cleared before. */
  look<T>(file: string, run: () => Promise<T>): Promise<T | undefined>;
  /** The content of a chart's directory. */
  parts(tree: FileTree, directory: string): Promise<ChartParts>;
  /** The packed chart in a file of the tree. Returns `undefined` if the archive is not a chart. Errors: TAR_INVALID. */
  open(tree: FileTree, file: string): Promise<PackedChart | UnreadableChart | undefined>;
  /** Like open, for bytes from another source. `file` is the name in findings. */
  openBytes(file: string, bytes: Uint8Array): Promise<PackedChart | UnreadableChart | undefined>;
}

/** Maximum number of bytes of unpacked archives in the cache. Archives that charts repeatedly refer to are small. */
const MAX_KEPT = 128 << 20;

/** `rules` run on what is rendered: what none of them can find an image in is not. */
export function createChartReader(rules: readonly DocumentRule[], limits: ChartLimits = CHART_LIMITS): ChartReader {
  const clues = cluesOf(rules);
  const budget = createChartBudget(limits);
  let parts = new WeakMap<FileTree, Map<string, ChartParts>>();
  let charts = new WeakMap<FileTree, Map<string, PackedChart | UnreadableChart | undefined>>();
  const open = createUnpacker(budget, limits.unpacked);
  const reader: ChartReader = {
    budget,
    look: async (file, run) => {
      parts = new WeakMap();
      charts = new WeakMap();
      return await budget.forChart(file, () => withPatterns(run));
    },
    parts: (tree, directory) =>
      remembered(parts, tree, directory, async () => {
        const read = await readParts(tree, directory, clues);
        budget.spend(read.size * COST.kept + read.below.length * COST.file);
        return read;
      }),
    open: (tree, file) => remembered(charts, tree, file, async () => reader.openBytes(file, await tree.bytes(file))),
    openBytes: async (file, bytes) => {
      const unpacked = await open(bytes);
      budget.spend(unpacked.contents.size * COST.file);
      return chartIn(file, unpacked, clues);
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

/** Cached by the digest of the archive: copies of an archive, wherever they lie, are unpacked once. */
function createUnpacker(budget: ChartBudget, most: number): (bytes: Uint8Array) => Promise<Unpacked> {
  const known = new Map<string, Unpacked | Error>();
  let kept = 0;
  return async (bytes) => {
    budget.spend(bytes.length);
    const digest = createHash('sha256').update(bytes).digest('hex');
    const before = known.get(digest);
    if (before instanceof Error) throw before;
    if (before) return before;
    try {
      const unpacked = await unpackChart(bytes, most, (count) => budget.spend(count * COST.kept));
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
