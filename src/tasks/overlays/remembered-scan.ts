// A scan whose answer is remembered: overlays are asked about many times a day and seldom change. What was found is kept beside a
// fingerprint of the files that were looked at; where that is the same, nothing is read, parsed or even loaded for it.
import { statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { cacheFolder } from '../../io/files/cache-folder.ts';
import { isObject } from '../../oci/decode.ts';
import type { ScanResult, Warning } from '../../scan/contract.ts';
import { listFiles } from '../../scan/list-files.ts';
import { type ScanOptions, scan } from '../../scan/scan.ts';
import { callOptions, type TaskCall, type World } from '../settings.ts';

interface Memory extends ScanResult {
  readonly directory: string;
  readonly fingerprint: string;
}

/** A file that changed this recently could change once more without its time telling: nothing is remembered then. In milliseconds. */
const UNSETTLED = 1000;
/** How many directories are remembered. */
const REMEMBERED = 100;

/** As `scan`; remembers where the settings name a cache, and neither rules nor values for charts are given. Errors: as `scan`. */
export async function rememberedScan(
  directory: string,
  settings: World & TaskCall,
  options: Pick<ScanOptions, 'given' | 'rules'> = {},
): Promise<ScanResult> {
  const { cache } = settings;
  if (!cache || options.given || options.rules) return scan(directory, { ...callOptions(settings), ...options });
  const absolute = resolve(directory);
  const memories = cacheFolder(join(cache.directory, 'scans'), { most: REMEMBERED });
  const name = fileName(absolute);
  const fingerprint = fingerprintOf(absolute, cache.program);
  if (fingerprint !== undefined) {
    const memory = await memories.read(name);
    if (isMemory(memory) && memory.directory === absolute && memory.fingerprint === fingerprint) return memory;
  }
  const { findings, warnings } = await scan(directory, callOptions(settings));
  if (fingerprint !== undefined) {
    const memory: Memory = { directory: absolute, fingerprint, findings, warnings };
    await memories.write(name, memory);
  }
  return { findings, warnings };
}

/**
 * The program, and of each file its name, identity, size and times: a change of content changes ctime, which no program can set back.
 * `undefined` where it would not tell the next change, or something cannot be read.
 */
function fingerprintOf(directory: string, program: string): string | undefined {
  const settled = Date.now() - UNSETTLED;
  const warnings: Warning[] = [];
  const lines = [program];
  for (const file of listFiles(directory, (warning) => warnings.push(warning))) {
    const info = statSync(join(directory, file), { throwIfNoEntry: false });
    if (!info || info.ctimeMs > settled) return undefined;
    lines.push(`${file}\0${info.dev}:${info.ino}:${info.size}:${info.mtimeMs}:${info.ctimeMs}`);
  }
  return warnings.length > 0 ? undefined : lines.join('\n');
}

/** Readable, and unique enough: the directory stands whole in the file. */
function fileName(directory: string): string {
  return `${encodeURIComponent(directory).slice(-200)}.json`;
}

/** What is in the lists is taken as it is: the fingerprint says that this very program wrote it. */
function isMemory(value: unknown): value is Memory {
  return isObject(value) && Array.isArray(value.findings) && Array.isArray(value.warnings);
}
