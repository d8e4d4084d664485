// The embedded registry as a proxy that a test can kill.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stop, until } from './process.ts';
import type { World } from './program.ts';
import { freePort } from './temporary.ts';

export interface RunningProxy extends AsyncDisposable {
  readonly host: string;
  readonly base: string;
  /** Ends it, as a crash would, and starts it again at the same address. */
  restart(options?: readonly string[]): Promise<void>;
}

/** `images serve --proxy=HOST`. Names of `up.test` are at this address. */
export async function startProxy(
  world: World,
  upstream: string,
  options: readonly string[] = [],
): Promise<RunningProxy> {
  await writeFile(
    join(world.path, 'config/containers/registries.conf'),
    `[[registry]]\nprefix = "up.test"\nlocation = "${upstream}"\ninsecure = true\n`,
  );
  const port = await freePort();
  const host = `127.0.0.1:${port}`;
  const begin = async (more: readonly string[]) => {
    const child = world.startImages(['serve', `--listen=${host}`, `--proxy=up.test,${upstream}`, ...more]);
    child.stdout?.resume();
    child.stderr?.resume();
    await until(async () => (await fetch(`http://${host}/v2/`)).ok);
    return child;
  };
  let child = await begin(options);
  return {
    host,
    base: `http://${host}`,
    restart: async (more = options) => {
      const ended = new Promise((done) => child.once('exit', done));
      child.kill('SIGKILL');
      await ended;
      child = await begin(more);
    },
    [Symbol.asyncDispose]: () => stop(child),
  };
}
