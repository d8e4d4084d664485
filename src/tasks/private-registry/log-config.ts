// What the log of a registry has in it, and in which form: `--log=json,access --log-level=warn`, `log = ["json", "access"]` in registry.toml.
import { DEFAULT_LOG, type LogSettings } from '../../observe/log.ts';
import { LOG_LEVELS, type LogLevel } from '../../observe/operator-event.ts';
import type { Json } from '../../oci/decode.ts';
import { ImagesError } from '../../oci/errors.ts';
import { ifGiven, listOfTexts, shown, type TomlReading } from './toml-values.ts';

/** Absent: what registry.toml says, else text, without a line for each request, from `info` on. */
export interface LogChoice {
  /** `text` or `json`; and `access`: a line for each request. */
  readonly log?: readonly string[];
  /** `error`, `warn`, `info` or `debug`. */
  readonly logLevel?: string;
}

const WORDS = ['text', 'json', 'access'] as const;
const HINT = 'Write text or json, and access for a line for each request: json,access.';

/** What an operator says comes before what the configuration says. */
export function logSettings(options: LogChoice, config: LogChoice): LogSettings {
  const words = options.log?.length ? options.log : (config.log ?? []);
  const said = options.logLevel ?? config.logLevel;
  return {
    isJson: words.includes('json'),
    isAccess: words.includes('access'),
    level: LOG_LEVELS.find((level) => level === said) ?? DEFAULT_LOG.level,
  };
}

/** The same, of a configuration that may change. */
export function logSettingsBy(options: LogChoice, config: () => LogChoice): () => LogSettings {
  let before: LogChoice | undefined;
  let settings = DEFAULT_LOG;
  return () => {
    const now = config();
    if (now !== before) settings = logSettings(options, now);
    before = now;
    return settings;
  };
}

/** Errors: USAGE. */
export function checkLogOptions({ log = [], logLevel }: LogChoice): void {
  const wrong = wrongWords(log);
  if (wrong !== undefined) throw new ImagesError('USAGE', `${wrong} [--log=${log.join(',')}]`, { hint: HINT });
  if (logLevel !== undefined && !isLogLevel(logLevel)) {
    throw new ImagesError('USAGE', `not a level [--log-level=${logLevel}]`, {
      hint: `Write ${LOG_LEVELS.join(', ')}.`,
    });
  }
}

/** `log` and `log_level`. */
export function logConfig(content: Json, { fail, attempt }: TomlReading): LogChoice {
  const log = attempt(() =>
    ifGiven(content.log, (value) => {
      const words =
        typeof value === 'string' ? value.split(',').map((word) => word.trim()) : listOfTexts(value, ['log'], fail);
      const wrong = wrongWords(words);
      return wrong === undefined
        ? words
        : fail(['log'], `${wrong} [${shown(value)}]`, 'Write log = ["json", "access"].');
    }),
  );
  const logLevel = attempt(() =>
    ifGiven(content.log_level, (value) =>
      typeof value === 'string' && isLogLevel(value)
        ? value
        : fail(['log_level'], `not a level [${shown(value)}]`, `Write log_level = "${LOG_LEVELS.join('", "')}".`),
    ),
  );
  return { ...(log && { log }), ...(logLevel !== undefined && { logLevel }) };
}

function isLogLevel(text: string): text is LogLevel {
  return LOG_LEVELS.some((level) => level === text);
}

function wrongWords(words: readonly string[]): string | undefined {
  if (words.some((word) => !WORDS.some((known) => known === word))) return 'not what a log can be';
  return words.includes('text') && words.includes('json') ? 'a log is text or json' : undefined;
}
