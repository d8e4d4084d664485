// The configuration of a registry that runs: read at its start, and again when the file changes. With a mistake in it the rules before stay.
import { stat } from 'node:fs/promises';
import { isImagesError } from '../../oci/errors.ts';
import { configFile } from './config-file.ts';
import { type RegistryConfig, readRegistryToml } from './registry-config.ts';

/** In milliseconds. The file is looked at, not watched: that works on every file system, and with every way in which editors write. */
const EVERY_MS = 2000;

export interface WatchedConfig extends Disposable {
  readonly current: RegistryConfig;
}

export interface WatchOptions {
  /** From --config. */
  readonly named?: string | undefined;
  readonly everyMs?: number;
  /** Called with new rules. */
  readonly onChange?: (config: RegistryConfig) => void;
  /** Called once for each state of the file that cannot be read: the rules before stay. */
  readonly onBroken?: (error: unknown) => void;
}

/** Errors: CONFIG_INVALID, FILE_UNREADABLE: a registry does not start with rules that are not understood. */
export async function watchConfig(data: string, options: WatchOptions = {}): Promise<WatchedConfig> {
  const { named, everyMs = EVERY_MS } = options;
  const file = configFile(data, named);
  let seen = await stateOf(file);
  let current = await readRegistryToml(data, named);
  let looking = false;

  async function look(): Promise<void> {
    const state = await stateOf(file);
    if (state === seen) return;
    seen = state;
    try {
      current = await readRegistryToml(data, named);
      options.onChange?.(current);
    } catch (error) {
      if (!isImagesError(error)) throw error;
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

/** Changes with the file's content. */
async function stateOf(file: string): Promise<string> {
  try {
    const { ino, size, mtimeMs, ctimeMs } = await stat(file);
    return [ino, size, mtimeMs, ctimeMs].join(' ');
  } catch {
    return 'absent';
  }
}
