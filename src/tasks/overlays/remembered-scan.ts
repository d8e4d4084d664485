// A scan with a cached result: overlays are scanned many times a day and seldom change. The findings are stored with a fingerprint of the scanned files. If the fingerprint is
// unchanged, no file is read or parsed, and the parser is not loaded.
import { statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { cacheFolder } from '../../io/files/cache-folder.ts';
import { isObject } from '../../oci/decode.ts';
import type { ScanResult, Warning } from '../../scan/contract.ts';
import type { ScanEvent } from '../../scan/events.ts';
import { listFiles } from '../../scan/list-files.ts';
import { type ScanOptions, scan } from '../../scan/scan.ts';
import { alsoDebugged, callOptions, type ScanChoice, type TaskCall, type TaskEvents, type World } from '../settings.ts';

interface Memory extends ScanResult {
  readonly directory: string;
  readonly fingerprint: string;
}

/** In milliseconds. A file that was modified more recently could change again without a new timestamp, so the result is not cached. */
const UNSETTLED = 1000;
/** The maximal number of cached directories. */
const REMEMBERED = 100;

/** Like `scan`, but cached if the settings have a cache and neither rules nor chart values are given. Errors: as `scan`. */
export async function rememberedScan(
  directory: string,
  settings: World & TaskCall & TaskEvents,
  options: Pick<ScanOptions, 'given' | 'rules'> = {},
): Promise<ScanResult> {
  const { cache, onDebug } = settings;
  const onEvent = alsoDebugged<'scan', ScanEvent>('scan', settings);
  const scanning = { ...callOptions(settings), ...(onEvent && { onEvent }), ...options };
  const choose = (why: ScanChoice['why']) => onDebug?.({ topic: 'scan', event: { type: 'directory', directory, why } });
  if (!cache || options.given || options.rules) {
    choose('not-asked');
    return scan(directory, scanning);
  }
  const absolute = resolve(directory);
  const memories = cacheFolder(join(cache.directory, 'scans'), { most: REMEMBERED });
  const name = fileName(absolute);
  const fingerprint = fingerprintOf(absolute, cache.program);
  if (fingerprint === undefined) choose('unsettled');
  else {
    const memory = await memories.read(name);
    const isKnown = isMemory(memory) && memory.directory === absolute;
    if (isKnown && memory.fingerprint === fingerprint) {
      choose('remembered');
      return memory;
    }
    choose(isKnown ? 'changed' : 'unknown');
  }
  const { findings, warnings } = await scan(directory, scanning);
  if (fingerprint !== undefined) {
    const memory: Memory = { directory: absolute, fingerprint, findings, warnings };
    await memories.write(name, memory);
  }
  return { findings, warnings };
}

/**
 * The program's identity, and of each file its name, inode, size and times. A change of content changes ctime, which programs cannot set back. Returns
 * `undefined` if the next change might go unnoticed, or if something cannot be read.
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

/** The name of the cache file: readable and sufficiently unique. The full path of the directory is inside the file. */
function fileName(directory: string): string {
  return `${encodeURIComponent(directory).slice(-200)}.json`;
}

/** The entries of the lists are not validated: by the fingerprint, the same build of the program wrote them. */
function isMemory(value: unknown): value is Memory {
  return isObject(value) && Array.isArray(value.findings) && Array.isArray(value.warnings);
}
