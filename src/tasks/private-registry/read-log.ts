// Reads the log of the embedded registry, wherever it is: its own file, another file, or the journal of systemd.
import { existsSync } from 'node:fs';
import { isLevel } from '../../observe/log.ts';
import { LOG_LEVELS, type LogLevel } from '../../observe/operator-event.ts';
import { checkArguments, OBJECT } from '../../oci/arguments.ts';
import { isObject, type Json } from '../../oci/decode.ts';
import { ImagesError } from '../../oci/errors.ts';
import { SETTINGS } from '../arguments.ts';
import { callOptions, type Settings } from '../settings.ts';
import { locateRegistry, noRegistry } from './locate-registry.ts';
import { fileLines, type LinesWanted } from './log-lines.ts';
import { logPath } from './registry-log.ts';
import type { LogPlace } from './registry-record.ts';

export interface ReadLogRequest {
  /** The last so many; default 100. */
  readonly lines?: number;
  /** Go on with what is written, until the signal. */
  readonly follow?: boolean;
  /** Only what is not older than this, in milliseconds. */
  readonly sinceMs?: number;
  /** Only lines of this level, and of those that matter more. */
  readonly level?: LogLevel;
}

export interface LogLine {
  /** As it stands in the log. */
  readonly line: string;
  /** In ISO 8601; absent for a line that is not of the registry's own log, as when it crashes. */
  readonly time?: string;
  readonly level: LogLevel;
  /** Without time and level. */
  readonly message: string;
  /** Of a line in JSON, all of it. */
  readonly json?: Json;
}

/** The lines of the log, the oldest first. Errors: NO_REGISTRY (none runs, and there is no log), UNSUPPORTED (its log cannot be read again), NO_ACCESS, FILE_UNREADABLE (there is no journalctl). */
export async function* readRegistryLog(request: ReadLogRequest, settings: Settings): AsyncGenerator<LogLine> {
  checkArguments({ request: [request, OBJECT], settings: [settings, SETTINGS] });
  const { lines = 100, follow = false, level = 'debug', sinceMs } = request;
  const since = sinceMs === undefined ? Number.NEGATIVE_INFINITY : Date.now() - sinceMs;
  const isWanted = (line: string) => {
    const read = parsedLine(line);
    return isLevel(read.level, level) && !(read.time !== undefined && Date.parse(read.time) < since);
  };
  const wanted: LinesWanted = {
    lines,
    follow,
    isWanted,
    ...(sinceMs !== undefined && { since }),
    ...callOptions(settings),
  };
  for await (const line of linesAt(await placeOfLog(settings), wanted)) yield parsedLine(line);
}

/** Where the log of the registry is that runs; else that of the last one that `lreg_start` has started. Errors: NO_REGISTRY. */
export async function placeOfLog(settings: Settings): Promise<LogPlace> {
  const location = await locateRegistry(settings);
  if (location?.state?.log) return location.state.log;
  if (location?.kind !== 'embedded') throw noRegistry(settings);
  const path = logPath(location.data);
  if (existsSync(path)) return { kind: 'file', path };
  throw new ImagesError('NO_REGISTRY', `there is no log of a registry in ${location.data}`, {
    hint: 'It has one once that it was started by `images lreg_start`.',
  });
}

async function* linesAt(place: LogPlace, wanted: LinesWanted): AsyncGenerator<string> {
  if (place.kind === 'file') yield* fileLines(place.path, wanted);
  else if (place.kind === 'journal') {
    const { journalLines } = await import('./journal-lines.ts');
    yield* journalLines(place, wanted);
  } else {
    throw new ImagesError('UNSUPPORTED', `the log of this registry goes to ${place.what}, and cannot be read again`, {
      hint: 'Start it by `images lreg_start`, as a service of systemd, or with 2>>FILE. `images lreg_watch` shows what happens from now on.',
    });
  }
}

const TEXT_LINE = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z) (?:(ERROR|WARNING): )?(.*)$/s;

/** A line of the log in either form. */
export function parsedLine(line: string): LogLine {
  const json = line.startsWith('{') ? jsonOf(line) : undefined;
  if (json && typeof json.time === 'string') {
    const level = LOG_LEVELS.find((known) => known === json.level) ?? 'info';
    return { line, time: json.time, level, message: typeof json.message === 'string' ? json.message : '', json };
  }
  const [, time, word, message = line] = TEXT_LINE.exec(line) ?? [];
  // Without a time it is of a crash, or of Node.
  if (time === undefined) return { line, level: 'error', message };
  return { line, time, level: word === 'ERROR' ? 'error' : word === 'WARNING' ? 'warn' : 'info', message };
}

function jsonOf(line: string): Json | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
