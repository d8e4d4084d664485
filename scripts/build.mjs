// Bundles src/ into dist/: the program (cli, split so that a command loads only what it needs) and the library.
import { rm } from 'node:fs/promises';
import { rolldown } from 'rolldown';

const dist = new URL('../dist/', import.meta.url).pathname;
const source = new URL('../src/', import.meta.url).pathname;

const bundle = await rolldown({
  input: { images: `${source}cli/main.ts`, index: `${source}index.ts` },
  platform: 'node',
  checks: { circularDependency: true },
});
await rm(dist, { recursive: true, force: true });
await bundle.write({
  dir: dist,
  format: 'esm',
  entryFileNames: '[name].js',
  chunkFileNames: 'chunks/[name]-[hash].js',
  minify: 'dce-only',
  sourcemap: false,
});
await bundle.close();
