// The configuration of a registry that runs: read at its start, and again when the file changes. With a mistake in it the rules before stay.
import { isImagesError } from '../../oci/errors.ts';
import { configFile } from './config-file.ts';
import { readAtRest, stateOfFile } from './file-at-rest.ts';
import { type RegistryConfig, registryConfig } from './registry-config.ts';

/** In milliseconds. The file is looked at, not watched: that works on every file system, and with every way in which editors write. */
const EVERY_MS = 2000;

export interface WatchedConfig extends Disposable {
  readonly current: RegistryConfig;
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
  let current: RegistryConfig;
  let looking = false;

  /** A file that is being written is not believed: see file-at-rest.ts. */
  async function read(): Promise<RegistryConfig> {
    const { text, state } = await readAtRest(file, {
      ...(seen !== undefined && { before: seen }),
      ...(restMs !== undefined && { restMs }),
    });
    seen = state;
    return await registryConfig({ file, text, isNamed, isAlone });
  }

  current = await read();

  async function look(): Promise<void> {
    const [before, state] = [seen, await stateOfFile(file)];
    if (state === before) return;
    try {
      current = await read();
      options.onChange?.(current);
    } catch (error) {
      if (!isImagesError(error)) throw error;
      // It could not be read at all: that is told once.
      if (seen === before) seen = state;
      options.onBroken?.(error);
    }
  }

  const timer = setInterval(() => {
    if (looking) return;
    looking = true;
    look()
      .catch((error: unknown) => options.onBroken?.(error))
      .finally(() => {
        looking = false;
      });
  }, everyMs);
  timer.unref();
  return {
    get current() {
      return current;
    },
    [Symbol.dispose]: () => clearInterval(timer),
  };
}
