// The configuration of a registry that runs: read at its start, again when the file changes, and when somebody asks for it. With a mistake in it the rules before stay.
import { isImagesError } from '../../oci/errors.ts';
import { configFile } from './config-file.ts';
import { readAtRest, stateOfFile } from './file-at-rest.ts';
import { type ConfigReading, configReading, type RegistryConfig } from './registry-config.ts';

/** In milliseconds. The file is looked at, not watched: that works on every file system, and with every way in which editors write. */
const EVERY_MS = 2000;

export interface WatchedConfig extends Disposable {
  readonly file: string;
  readonly current: RegistryConfig;
  readonly reading: ConfigReading;
  /**
   * Reads the file, whether it has changed or not. `prepare` gets what it says, and can refuse it; what it returns is called in the moment in which that is current.
   * `onChange` is not called. Errors: CONFIG_INVALID, FILE_UNREADABLE; those of `prepare`. Then all stays as it is.
   */
  reload(prepare: (next: ConfigReading) => Promise<() => void>): Promise<void>;
}

export interface WatchOptions {
  /** From --config. */
  readonly named?: string | undefined;
  /** See `AccessSource`. */
  readonly isAlone?: boolean;
  readonly everyMs?: number;
  /** In milliseconds: a file that changed more recently is perhaps not whole. */
  readonly restMs?: number;
  /** Called with new rules. */
  readonly onChange?: (config: RegistryConfig) => void;
  /** Called once for each state of the file that cannot be read: the rules before stay. */
  readonly onBroken?: (error: unknown) => void;
}

/** Errors: CONFIG_INVALID, FILE_UNREADABLE: a registry does not start with rules that are not understood. */
export async function watchConfig(data: string, options: WatchOptions = {}): Promise<WatchedConfig> {
  const { named, isAlone = false, everyMs = EVERY_MS, restMs } = options;
  const file = configFile(data, named);
  const isNamed = named !== undefined;
  let seen: string | undefined;
  let looking = false;

  /** A file that is being written is not believed: see file-at-rest.ts. */
  async function read(): Promise<ConfigReading> {
    const { text, state } = await readAtRest(file, {
      ...(seen !== undefined && { before: seen }),
      ...(restMs !== undefined && { restMs }),
    });
    seen = state;
    return await configReading({ file, isNamed, isAlone }, text);
  }

  let reading = await read();

  async function look(): Promise<void> {
    const [before, state] = [seen, await stateOfFile(file)];
    if (state === before) return;
    try {
      reading = await read();
      options.onChange?.(reading.config);
    } catch (error) {
      if (!isImagesError(error)) throw error;
      // It could not be read at all: that is told once.
      if (seen === before) seen = state;
      options.onBroken?.(error);
    }
  }

  /** Of a look and a reload at once, the second begins when the first has ended. */
  let last: Promise<unknown> = Promise.resolve();
  const inTurn = (work: () => Promise<void>): Promise<void> => {
    const done = last.then(work);
    last = done.catch(() => undefined);
    return done;
  };

  const timer = setInterval(() => {
    if (looking) return;
    looking = true;
    inTurn(look)
      .catch((error: unknown) => options.onBroken?.(error))
      .finally(() => {
        looking = false;
      });
  }, everyMs);
  timer.unref();
  return {
    file,
    get current() {
      return reading.config;
    },
    get reading() {
      return reading;
    },
    reload: (prepare) =>
      inTurn(async () => {
        const next = await read();
        const use = await prepare(next);
        reading = next;
        use();
      }),
    [Symbol.dispose]: () => clearInterval(timer),
  };
}
