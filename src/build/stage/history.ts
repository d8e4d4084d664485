// The history entries of instructions, in BuildKit's format, which other tools parse.
import type { HistoryEntry } from '../../oci/config.ts';
import { C_ESCAPES } from '../../tar/names.ts';
import type { Config, ConfigHealthcheck } from './image-config.ts';

const COMMENT = 'buildkit.dockerfile.v0';

export interface Recorded {
  readonly created: string;
  readonly text: string;
  /** Whether the instruction made a layer. */
  readonly layer: boolean;
}

export function withHistory(config: Config, { created, text, layer }: Recorded): Config {
  const entry: HistoryEntry = { created, created_by: text, comment: COMMENT, ...(!layer && { empty_layer: true }) };
  return { ...config, history: [...config.history, entry] };
}

/** Formats a list as Go's `%q`. */
export function quotedList(values: readonly string[]): string {
  return `[${values.map(quoted).join(' ')}]`;
}

/** Formats a list as Go's `%v`. */
export function plainList(values: readonly string[]): string {
  return `[${values.join(' ')}]`;
}

export function healthcheckText(health: ConfigHealthcheck): string {
  const { Test = [], Interval = 0, Timeout = 0, StartPeriod = 0, StartInterval = 0, Retries = 0 } = health;
  const times = `Interval:${duration(Interval)} Timeout:${duration(Timeout)} StartPeriod:${duration(StartPeriod)} StartInterval:${duration(StartInterval)}`;
  return `HEALTHCHECK {Test:${plainList(Test)} ${times} Retries:${Retries}}`;
}

/** Formats nanoseconds as Go does: `1h0m0s`, `1.5s`, `300ms`. */
export function duration(nanoseconds: number): string {
  if (nanoseconds === 0) return '0s';
  if (nanoseconds < 1e9) {
    const [unit, size] = nanoseconds < 1e3 ? ['ns', 1] : nanoseconds < 1e6 ? ['µs', 1e3] : ['ms', 1e6];
    return `${nanoseconds / Number(size)}${unit}`;
  }
  const minutes = Math.floor(nanoseconds / 60e9);
  const seconds = `${Math.round(nanoseconds - minutes * 60e9) / 1e9}s`;
  if (minutes === 0) return seconds;
  return minutes < 60 ? `${minutes}m${seconds}` : `${Math.floor(minutes / 60)}h${minutes % 60}m${seconds}`;
}

const ESCAPES: Readonly<Record<string, string>> = { ...C_ESCAPES, '"': '\\"' };

function quoted(text: string): string {
  const inner = text.replaceAll(
    /["\\\p{Cc}]/gu,
    (char) => ESCAPES[char] ?? `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`,
  );
  return `"${inner}"`;
}
