// The build context for `--context=DIR`: the files of the directory, and `ovl.tar` if there is a `tar` script.
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { directoryContext } from '../../build/context/directory-context.ts';
import { parseIgnore } from '../../build/context/ignore.ts';
import { joinedSources } from '../../build/context/joined-sources.ts';
import type { Patterns } from '../../build/context/patterns.ts';
import { createSpool } from '../../build/context/spool.ts';
import type { TreeSource } from '../../build/files/tree-source.ts';
import { isFsError } from '../../io/files/fs-errors.ts';
import { ImagesError } from '../../oci/errors.ts';
import type { TarTime } from '../../tar/time.ts';
import { callOptions, type TaskCall, type World } from '../settings.ts';
import { runTarScript } from './run-tar-script.ts';

export interface OpenContextOptions {
  readonly spool: string;
  readonly time: TarTime;
  readonly dockerfile: string;
  onScript?(chunk: Uint8Array): void;
}

export interface OpenedContext extends AsyncDisposable {
  readonly context: Promise<TreeSource>;
}

/** `directory` may contain the `tar` script. Errors: PATH_UNKNOWN, those of the directory and of the script. */
export async function openDirectoryContext(
  directory: string,
  root: string,
  settings: World & TaskCall,
  { spool: spools, time, dockerfile, onScript }: OpenContextOptions,
): Promise<OpenedContext> {
  if (!(await stat(root).catch(() => undefined))?.isDirectory()) {
    throw new ImagesError('PATH_UNKNOWN', `no such directory [${root}]`, {
      hint: '--context names the directory of the files to copy.',
    });
  }
  const ignore = await ignoreOf(root, dockerfile);
  const hasScript = await stat(join(directory, 'tar')).then(
    (info) => info.isFile(),
    () => false,
  );
  const script = hasScript
    ? await runTarScript(directory, settings, { spool: spools, time, ...(onScript && { onOutput: onScript }) })
    : undefined;
  const spool = await createSpool(spools);
  const files = directoryContext(root, spool, { ignore, env: settings.env, time, ...callOptions(settings) });
  const context = script
    ? Promise.all([files, script.context]).then(([base, over]) => joinedSources(base, over))
    : files;
  context.catch(() => {});
  return {
    context,
    [Symbol.asyncDispose]: async () => {
      await files.catch(() => {});
      await spool[Symbol.asyncDispose]();
      await script?.[Symbol.asyncDispose]();
    },
  };
}

/** `Dockerfile.dockerignore` beside the Dockerfile has precedence over `.dockerignore` in the directory. */
async function ignoreOf(root: string, dockerfile: string): Promise<Patterns | undefined> {
  for (const path of [`${dockerfile}.dockerignore`, join(root, '.dockerignore')]) {
    try {
      return parseIgnore(path, await readFile(path, 'utf8'));
    } catch (error) {
      if (!isFsError(error, 'ENOENT')) throw error;
    }
  }
  return undefined;
}
