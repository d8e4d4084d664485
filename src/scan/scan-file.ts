// Scans one file that the user names: a packed chart, a file that stands for a directory (chart, kustomization, Compose project), or a manifest.
import { basename, dirname, join } from 'node:path';
import { ImagesError, isImagesError } from '../oci/errors.ts';
import type { FileTree, Finding, GivenValues, Rules, ScanResult, Warning } from './contract.ts';
import { decodeText } from './decode-text.ts';
import { withUnpacking } from './encoded-text.ts';
import type { OnScanEvent } from './events.ts';
import { openFileTree } from './file-tree.ts';
import { findInText } from './find-in-text.ts';
import { createChartReader } from './helm/chart-reader.ts';
import { findInChart } from './helm/find-in-chart.ts';
import { helmCharts } from './helm/helm.ts';
import { cluesOf } from './may-matter.ts';
import { uniqueWarnings, withoutRepetition } from './repetition.ts';
import { SCAN_RULES } from './rules.ts';
import { parseYaml } from './yaml.ts';

/** Names of files that may stand for their directory. */
const STANDS_FOR_MORE = /^(?:Chart|kustomization)\.ya?ml$|^Kustomization$|compose|stack/i;

export interface ScanFileOptions {
  /** Default: the built-in rules (rules.ts). */
  readonly rules?: Rules | undefined;
  readonly given?: GivenValues | undefined;
  readonly onEvent?: OnScanEvent | undefined;
}

/** The images that the file at `path` with these bytes uses. Errors: FILE_UNREADABLE (an archive that is not a chart). */
export async function scanFile(path: string, bytes: Buffer, options: ScanFileOptions = {}): Promise<ScanResult> {
  return await withUnpacking(() => scanOne(path, bytes, options));
}

async function scanOne(path: string, bytes: Buffer, options: ScanFileOptions): Promise<ScanResult> {
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) return await scanPackedChart(path, bytes, options);
  const found = STANDS_FOR_MORE.test(basename(path)) ? await scanBeside(path, options) : undefined;
  if (found) return found;
  const text = decodeText(bytes);
  const { documents } = options.rules ?? SCAN_RULES;
  const alone = findInText(path, text, { rules: documents, onEvent: options.onEvent });
  if (!/chartContent|chartRef/.test(text)) return alone;
  // The file may contain a packed chart in an object, or refer to a chart by another object.
  const charts = await helmCharts(documents).find(treeOfOne(path, bytes), options.given);
  return {
    findings: withoutRepetition([...alone.findings, ...charts.findings]),
    warnings: uniqueWarnings([...alone.warnings, ...charts.warnings]),
  };
}

/** Scans a chart as packed by `helm package` or fetched by `helm pull`. `name` is the file name in findings. Errors: FILE_UNREADABLE. */
export async function scanPackedChart(
  name: string,
  bytes: Buffer,
  { given, rules = SCAN_RULES }: ScanFileOptions = {},
): Promise<ScanResult> {
  const hint = 'Packed charts are read: what `helm package` and `helm pull` give.';
  try {
    const reader = createChartReader(rules.documents);
    let isChart = false;
    const found = await reader.look(name, async () => {
      const chart = await reader.openBytes(name, bytes);
      if (chart && 'problem' in chart) throw new ImagesError('TAR_INVALID', chart.problem);
      isChart = chart !== undefined;
      return chart && findInChart(chart.tree, chart.directory, { rules: rules.documents, releases: [], given, reader });
    });
    const warnings = [...(found?.warnings ?? []), ...reader.budget.warnings()];
    if (isChart || warnings.length > 0) return { findings: found?.findings ?? [], warnings };
  } catch (cause) {
    if (!isImagesError(cause, 'TAR_INVALID')) throw cause;
    throw new ImagesError('FILE_UNREADABLE', `neither a manifest nor a packed chart [${name}]: ${cause.message}`, {
      hint,
      cause,
    });
  }
  throw new ImagesError('FILE_UNREADABLE', `an archive that is no chart [${name}]`, { hint });
}

function treeOfOne(path: string, bytes: Buffer): FileTree {
  const text = decodeText(bytes);
  return {
    files: [path],
    broken: new Set(),
    has: (file) => file === path,
    read: async () => text,
    bytes: async () => bytes,
    documents: async () => parseYaml(path, text).documents,
  };
}

async function scanBeside(
  path: string,
  { given, rules = SCAN_RULES, onEvent }: ScanFileOptions,
): Promise<ScanResult | undefined> {
  const directory = dirname(path);
  const warnings: Warning[] = [];
  const tree = openFileTree(directory, (warning) => warnings.push(warning), cluesOf(rules.documents).mayMatter);
  for (const rule of rules.trees) {
    const found = await rule.findNamed(tree, basename(path), given);
    if (!found) continue;
    onEvent?.({ type: 'claimed', file: path, rule: rule.name });
    const inDirectory = (finding: Finding): Finding => ({
      ...finding,
      position: { ...finding.position, file: join(directory, finding.position.file) },
    });
    const all = [...warnings, ...found.warnings].map((warning) => ({
      ...warning,
      file: join(directory, warning.file),
    }));
    return { findings: withoutRepetition(found.findings.map(inDirectory)), warnings: uniqueWarnings(all) };
  }
  return undefined;
}
