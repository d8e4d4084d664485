// Bundles code with what the program and the library have in common: Node's modules are loaded when they are called, files are named by their content, source
// maps name the sources without holding them.
import { join } from 'node:path';
import { rolldown } from 'rolldown';
import { lazyBuiltins } from './lazy-builtins.mjs';
import { sourcePaths } from './source-paths.mjs';

const top = join(import.meta.dirname, '..');

/** A thread runs the file that starts it, so that file holds nothing else. */
export const THREADS = ['access/bcrypt-thread', 'io/files/hash-thread'].map((file) => ({
  name: file.slice(file.lastIndexOf('/') + 1),
  test: new RegExp(`/src/${file}\\.ts`),
  priority: 1,
}));

/** Writes into `dir` what will be moved to `place`; gives what was bundled. `output` adds to the options for that, `more` to those for reading. */
export async function bundleCode({ input, dir, place, plugins = [], output, ...more }) {
  const bundle = await rolldown({
    cwd: top,
    input,
    platform: 'node',
    plugins: [lazyBuiltins(join(top, 'src')), ...plugins],
    transform: { target: 'node22.19' },
    onLog: quietly,
    ...more,
  });
  const written = await bundle.write({
    dir,
    format: 'esm',
    entryFileNames: '[name].js',
    chunkFileNames: 'chunks/[name]-[hash].js',
    minify: 'dce-only',
    // Read with --verbose and --debug only (cli/main.ts). The paths are enough: the sources are elsewhere.
    sourcemap: true,
    sourcemapExcludeSources: true,
    sourcemapPathTransform: sourcePaths(dir, place),
    ...output,
  });
  await bundle.close();
  return written.output;
}

/** Cycles within a library are the library's business; what is loaded late by one and at once by another is no fault. */
export function quietly(level, log, handle) {
  const foreign = log.code === 'CIRCULAR_DEPENDENCY' && log.message.includes('node_modules');
  if (!foreign && log.code !== 'INEFFECTIVE_DYNAMIC_IMPORT') handle(level, log);
}
