// Bundles src/ into dist/: the program (cli, split so that a command loads only what it needs), and unless --program the library with its types (dist/lib/).
// Built aside and moved into place, so that builds at the same time, and programs that start meanwhile, do not meet half a bundle.
import { readdirSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buildLibrary } from './build-library.mjs';
import { bundleCode, THREADS } from './bundle.mjs';
import { directImports } from './direct-imports.mjs';
import { licencesOf } from './licences.mjs';
import { staticImports } from './short-commands.mjs';

const top = join(import.meta.dirname, '..');
const dist = join(top, 'dist');
const started = new Date();
/** What scripts call in loops. */
const SHORT_COMMANDS = ['cli/program.ts', 'cli/commands/lreg-isloaded.ts'];
/** What commands load that search overlays, also where there is nothing to do then. */
const SEARCHES = ['getimages', 'lreg-missingimages', 'lreg-preload'].map((name) => `cli/commands/${name}.ts`);
const CLIENT = ['tasks/private-registry/registry-clients.ts'];
/** What overlay authors call many times a day. */
const BUILDS = ['cli/commands/mkimage.ts'];

await mkdir(dist, { recursive: true });
const staging = await mkdtemp(join(dist, '.build-'));
try {
  const [program, library] = [join(staging, 'program'), join(staging, 'lib')];
  const libraryIsBuilt = process.argv.includes('--program') ? undefined : buildLibrary(library);
  const bundled = await build(program);
  const bundledToo = await libraryIsBuilt;
  if (bundledToo) {
    await writeFile(join(library, 'licences.txt'), licencesOf([...bundled, ...bundledToo]));
    await publishLibrary(library);
  }
  await publish(program);
  await removeOldChunks();
} finally {
  await rm(staging, { recursive: true, force: true });
}

async function build(dir) {
  const [short, searches, client, builds] = [SHORT_COMMANDS, SEARCHES, CLIENT, BUILDS].map((files) =>
    staticImports(files.map((file) => join(top, 'src', file))),
  );
  const others = staticImports(allSources().filter((file) => !builds.has(file)));
  const only = builds.difference(others);
  // What two large chunks share must not make one load the other.
  const shared = searches.intersection(client);
  return await bundleCode({
    input: { images: join(top, 'src/cli/main.ts') },
    dir,
    place: dist,
    plugins: [directImports()],
    checks: { circularDependency: true },
    output: {
      codeSplitting: {
        groups: [
          ...THREADS,
          { name: 'core', test: (id) => short.has(id) || shared.has(id) || id.startsWith('\0lazy:') },
          { name: 'search', test: (id) => searches.has(id) },
          // Charts are archives, and so are layers: who reads layers needs no charts.
          { name: 'tar', test: /\/src\/(?:tar|rootfs)\// },
          { name: 'build', test: (id) => /\/src\/(?:build|tasks)\//.test(id) && only.has(id) },
          // Not needed for overlays that have not changed. Charts are rare, and what reads them is large.
          { name: 'scan', test: /\/src\/scan\/(?!helm\/)|\/js-yaml\// },
          // Who looks into an image copies nothing, and who copies from registries needs no other transports.
          {
            name: 'source',
            test: /\/src\/transports\/(?:[\w-]+\/)?(?:registry-source|readable-image|interruptible|transports?|path-details|[\w-]+-transport|(?:[\w-]+-)?location)\.ts/,
          },
          { name: 'http', test: /\/src\/io\/http\/http(?:-\w+)?\.ts/ },
          // Built images are looked into too, and need only this of what a copy needs.
          { name: 'one-chunk', test: /\/io\/streams\/one-chunk\.ts/ },
          {
            name: 'copy',
            test: /\/src\/(?:copy|registry\/client)\/(?!config\/)|\/src\/transports\/(?:registry-|mount-sources)/,
          },
          // Clients read configurations, and so do transports: neither is to load the other.
          { name: 'read-config', test: /\/io\/files\/read-config-file\.ts/ },
          // Where no registry is known, a daemon is asked for one.
          { name: 'daemon', test: /\/docker-daemon\/daemon\.ts/ },
          { name: 'transports', test: /\/src\/transports\// },
        ],
      },
    },
  });
}

function allSources() {
  const names = readdirSync(join(top, 'src'), { recursive: true });
  const sources = names.filter((name) => /(?<!\.test|\.d)\.ts$/.test(name) && !name.includes('/testing/'));
  return sources.map((name) => join(top, 'src', name));
}

/** Chunks first (their names hold a hash of their content), then the entry that points to them. */
async function publish(dir) {
  await moveFiles(join(dir, 'chunks'), join(dist, 'chunks'));
  // What changed while this was built must count as newer than the bundle.
  await utimes(join(dir, 'images.js'), started, started);
  for (const name of ['images.js.map', 'images.js']) await rename(join(dir, name), join(dist, name));
}

async function publishLibrary(dir) {
  await utimes(join(dir, 'types.d.ts'), started, started).catch(() => undefined);
  for (const part of ['chunks', '.']) await moveFiles(join(dir, part), join(dist, 'lib', part));
}

/** Not what is in folders there. */
async function moveFiles(from, to) {
  await mkdir(to, { recursive: true });
  for (const entry of await readdir(from, { withFileTypes: true }).catch(() => [])) {
    if (entry.isFile()) await rename(join(from, entry.name), join(to, entry.name));
  }
}

/** A program that runs may still load chunks of the bundle before; an hour is longer than it takes to start. */
async function removeOldChunks() {
  // A package holds the chunks of this build alone.
  const isPacking = ['pack', 'publish'].includes(process.env.npm_command);
  const kept = started.getTime() - (isPacking ? 0 : 60 * 60 * 1000);
  for (const directory of ['chunks', 'lib/chunks', '.']) {
    for (const name of await readdir(join(dist, directory)).catch(() => [])) {
      if (directory === '.' && !name.startsWith('.build-')) continue;
      const path = join(dist, directory, name);
      const info = await stat(path).catch(() => undefined);
      if (info && info.mtimeMs < kept) await rm(path, { recursive: true, force: true });
    }
  }
}
