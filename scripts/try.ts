// `npm run try`: the main job on the embedded default, with the commands a user would type. What an example overlay uses is found, cached into the
// embedded registry (in a temporary directory) and listed. Where the internet cannot be reached, a second embedded registry on loopback plays the
// upstream with made-up images; the program is then told by a registries.conf, as containers-registries.conf(5) has it, to ask there.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { buildImage, buildIndex, pushImage, randomLayer } from '../test/fixtures/image.ts';

const ROOT = resolve(import.meta.dirname, '..');
const OVERLAY = join(ROOT, 'examples/hello-cluster');
const REACH_SECONDS = 20;
const MB = 1_000_000;

/** Sizes in MB of what stands in for the real images; those of one host with the same first size share that layer. */
const MADE_UP: Readonly<Record<string, readonly number[]>> = {
  'library/nginx:1.27-alpine': [3.6, 16],
  'library/busybox:1.36': [2.2],
  'library/alpine:3.20': [3.6],
  'prometheus-operator/prometheus-operator:v0.76.2': [0.8, 15],
  'prometheus-operator/prometheus-config-reloader:v0.76.2': [0.8, 13],
};

type Environment = Readonly<Record<string, string | undefined>>;

const scratch = await mkdtemp(join(tmpdir(), 'images-try-'));
const env: Environment = {
  ...process.env,
  LOCAL_REGISTRY: undefined,
  IMAGES_DATA: join(scratch, 'data'),
  IMAGES_RUNTIME: join(scratch, 'run'),
  XDG_DATA_HOME: join(scratch, 'share'),
};
const upstreamEnv: Environment = { ...env, IMAGES_DATA: join(scratch, 'upstream') };
let upstreamRuns = false;
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => (process.exitCode = 130));

try {
  await mkdir(join(scratch, 'run'));
  await tryIt();
} catch (error) {
  process.exitCode = 1;
  console.error(`try: ${error instanceof Error ? error.message : error}`);
} finally {
  await quiet(['lreg_stop'], env);
  if (upstreamRuns) await quiet(['lreg_stop'], upstreamEnv);
  await rm(scratch, { recursive: true, force: true });
}

async function tryIt(): Promise<void> {
  say('The images that an overlay uses, found in its manifests:');
  await show(['getimages', OVERLAY], env);
  const settings = (await reachable()) ? env : await playUpstream();
  say('The private registry, in the background:');
  await show(['lreg_start', '--listen=127.0.0.1:0'], settings);
  say('What is missing there is fetched, each blob once:');
  const begun = performance.now();
  await show(['lreg_preload', OVERLAY], settings);
  const seconds = (performance.now() - begun) / 1000;
  say('What it holds now, as VMs ask for it:');
  await show(['lreg_ls'], settings);
  say('Nothing is missing:');
  await show(['lreg_missingimages', OVERLAY], settings);
  const { images, bytes } = await held();
  say(`${images} images, ${(bytes / MB).toFixed(1)} MB, preloaded in ${seconds.toFixed(1)} s.`);
  await show(['lreg_stop'], settings);
}

/** Asks for no more than the plan: manifests, no layers. */
async function reachable(): Promise<boolean> {
  const { status, stderr } = await quiet(['lreg_preload', '--dry-run', OVERLAY], env, REACH_SECONDS);
  if (status === 0) return true;
  const reason = /^ERROR: (.*)$/m.exec(stderr)?.[1] ?? `no answer within ${REACH_SECONDS} s`;
  say(`The internet cannot be reached from here (${reason}).`);
  say(
    'So a second embedded registry plays docker.io and quay.io, with made-up images of realistic size under the same names.',
  );
  return false;
}

async function playUpstream(): Promise<Environment> {
  await mkdir(join(scratch, 'upstream'));
  upstreamRuns = true;
  const started = await quiet(['lreg_start', '--listen=127.0.0.1:0'], upstreamEnv);
  const status = await quiet(['lreg_status', '--json'], upstreamEnv);
  const port = /"port":\s*(\d+)/.exec(status.stdout)?.[1] ?? /127\.0\.0\.1:(\d+)/.exec(status.stdout)?.[1];
  if (port === undefined) throw new Error(`the second registry did not start: ${started.stderr}`);
  const host = `127.0.0.1:${port}`;
  for (const [name, sizes] of Object.entries(MADE_UP)) {
    const layers = sizes.map((size, index) =>
      randomLayer(index === 0 ? `${name.split('/')[0]} ${size}` : name, size * MB),
    );
    const foreign = buildImage({ layers: [randomLayer(`${name} foreign`, 0.1 * MB)], architecture: 's390x' });
    const architecture = process.arch === 'arm64' ? 'arm64' : 'amd64';
    await pushImage(`http://${host}`, name, buildIndex([buildImage({ layers, architecture }), foreign]));
  }
  const config = join(scratch, 'registries.conf');
  const mirrored = ['docker.io', 'quay.io'].map(
    (from) => `[[registry]]\nprefix = "${from}"\nlocation = "${host}"\ninsecure = true\n`,
  );
  await writeFile(config, mirrored.join('\n'));
  return { ...env, CONTAINERS_REGISTRIES_CONF: config };
}

async function held(): Promise<{ readonly images: number; readonly bytes: number }> {
  const blobs = join(scratch, 'data/docker/registry/v2/blobs');
  const files = await readdir(blobs, { recursive: true });
  const sizes = files
    .filter((file) => file.endsWith('/data'))
    .map(async (file) => (await stat(join(blobs, file))).size);
  const tags = await quiet(['getimages', OVERLAY], env);
  return {
    images: tags.stdout.split('\n').filter(Boolean).length,
    bytes: (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0),
  };
}

/** Runs it before the user's eyes; it must end with status 0. */
async function show(args: readonly string[], settings: Environment): Promise<void> {
  console.log(`$ images ${args.map((arg) => (arg.startsWith('/') ? relative(ROOT, arg) : arg)).join(' ')}`);
  const child = spawn(join(ROOT, 'bin/images'), args, { cwd: ROOT, env: settings, stdio: 'inherit' });
  const [status] = (await once(child, 'exit')) as [number | null];
  if (status !== 0) throw new Error(`images ${args[0]} ended with status ${status}`);
}

async function quiet(args: readonly string[], settings: Environment, seconds = 60) {
  const child = spawn(join(ROOT, 'bin/images'), args, {
    cwd: ROOT,
    env: settings,
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: seconds * 1000,
  });
  const text = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk) => (text.stdout += chunk));
  child.stderr.on('data', (chunk) => (text.stderr += chunk));
  const [status] = (await once(child, 'close')) as [number | null];
  return { status, ...text };
}

function say(line: string): void {
  console.log(`\n${line}`);
}
