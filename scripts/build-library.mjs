// Bundles the library into a directory: an entry for each subpath of package.json's `exports`, and of types only what these make public.
// A bundle of its own: what the program loads, and in how many files, depends on the program alone.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { rolldown } from 'rolldown';
import { bundleCode, quietly, THREADS } from './bundle.mjs';

const top = join(import.meta.dirname, '..');
const pkg = JSON.parse(readFileSync(join(top, 'package.json'), 'utf8'));

/** The subpaths: `index` is the package itself, `tar` is `@images-oci/images/tar`. Each is the face of a room. */
export const SUBPATHS = Object.keys(pkg.exports)
  .filter((key) => key !== './package.json')
  .map((key) => (key === '.' ? 'index' : key.slice(2)));

/** Where the face of a subpath is, below `src/` or below what was made of it. */
export function faceOf(subpath, extension) {
  return subpath === 'index' ? `index${extension}` : `${subpath}/index${extension}`;
}

/** Gives what was bundled. */
export async function buildLibrary(dir) {
  const [output] = await Promise.all([bundleFaces(dir), bundleTypes(dir)]);
  return output;
}

async function bundleFaces(dir) {
  const output = await bundleCode({
    input: entries((subpath) => join(top, 'src', faceOf(subpath, '.ts'))),
    dir,
    place: join(top, 'dist/lib'),
    output: {
      banner: (chunk) => (chunk.isEntry ? "import './needs-node.js';" : ''),
      codeSplitting: { groups: THREADS },
    },
  });
  await writeFile(join(dir, 'needs-node.js'), needsNode(pkg.engines.node));
  return output;
}

/** First of all that an entry loads: an old Node fails otherwise at the first thing that it lacks, and says no more than its name. */
function needsNode(range) {
  const [, major, minor] = /^>=(\d+)\.(\d+)$/.exec(range) ?? [];
  return `const [major, minor] = process.versions.node.split('.').map(Number);
if (major < ${major} || (major === ${major} && minor < ${minor})) {
  throw new Error(\`${pkg.name} needs Node ${major}.${minor} or newer [this is \${process.versions.node}]\`);
}
`;
}

/** One file has the declarations that the faces make public and those that these name; each subpath hands out its own. What is wrong with types is the type check's business. */
async function bundleTypes(dir) {
  const { dts } = await import('rolldown-plugin-dts').catch(() => ({}));
  if (!dts) {
    console.error('build: no types without rolldown-plugin-dts: npm ci');
    return;
  }
  const emitted = join(dir, 'emitted');
  await mkdir(emitted, { recursive: true });
  spawnSync(join(top, 'node_modules/.bin/tsc'), ['-p', join(top, 'tsconfig.types.json'), '--outDir', emitted], {
    stdio: 'ignore',
  });
  const bundle = await rolldown({
    cwd: emitted,
    input: entries((subpath) => join(emitted, faceOf(subpath, '.d.ts'))),
    platform: 'node',
    checks: { bundlerTimings: false, pluginTimings: false },
    plugins: [dts({ dtsInput: true, emitDtsOnly: true, tsconfig: false, generator: 'oxc' })],
    onLog: quietly,
  });
  await bundle.write({
    dir,
    format: 'esm',
    entryFileNames: '[name].d.ts',
    chunkFileNames: '[name].d.ts',
    // Their own names, as an editor shows them.
    minifyInternalExports: false,
    codeSplitting: { groups: [{ name: 'types' }] },
  });
  await bundle.close();
}

function entries(pathOf) {
  return Object.fromEntries(SUBPATHS.map((subpath) => [subpath, pathOf(subpath)]));
}
