import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { buildImage, layerOf } from '../fixtures/image.ts';
import { writeLayout } from '../fixtures/layout.ts';
import { needs } from '../peers/find.ts';
import { run } from '../peers/process.ts';
import { newWorld, ROOT, type World } from '../peers/program.ts';
import { LOOKED } from './testing/looked.ts';

describe('without a usable home directory', () => {
  const NONE = ['XDG_DATA_HOME', 'XDG_CONFIG_HOME', 'XDG_CACHE_HOME', 'XDG_STATE_HOME', 'XDG_RUNTIME_DIR'];
  const noBase = (value: string | undefined) => Object.fromEntries(NONE.map((name) => [name, value]));

  const root = needs('root', 'setpriv');
  it.skipIf(root.missing).each(['', 'relative', undefined])(
    '[%s] nothing is written below the working directory',
    async (value) => {
      await using world = await newWorld();
      const directory = await mkdtemp(join(world.path, 'cwd-'));
      const layout = await writeLayout(join(world.path, 'layout'), { app: LOOKED });
      // The environment of a user ID that is not in the user database.
      const env = { ...noBase(value), HOME: value, IMAGES_RUNTIME: world.path };
      const unknown = (...args: string[]) =>
        run('setpriv', ['--reuid=54321', '--regid=54321', '--clear-groups', `${ROOT}/bin/images`, ...args], {
          cwd: directory,
          env: { ...world.env, ...env },
        });
      await chmod(directory, 0o777);
      await chmod(world.path, 0o755);
      const refused = await unknown('lreg_upload', '--tag=a:1', `oci:${layout}:app`);
      expect(refused).toMatchObject({
        status: 1,
        stderr: expect.stringMatching(/no home directory.*\n.*--data=DIR or \$IMAGES_DATA/),
      });
      await mkdir(join(world.path, 'data'), { mode: 0o777 });
      await chmod(join(world.path, 'data'), 0o777);
      const named = await unknown('lreg_upload', '--tag=a:1', `--data=${world.path}/data`, `oci:${layout}:app`);
      expect(named).toMatchObject({ status: 0 });
      expect(await unknown('copy', `oci:${layout}:app`, `oci:${directory}/out`)).toMatchObject({ status: 0 });
      expect(await unknown('lreg_ls')).toMatchObject({
        status: 1,
        stderr: expect.stringContaining('no private registry'),
      });
      expect(await readdir(directory)).toEqual(['out']);
    },
  );
});

describe('--json', () => {
  it('prints a failure as an object if nothing is on stdout yet, beside the line on stderr', async () => {
    await using world = await newWorld();
    const missing = await world.images(['lreg_inspect', 'alpine:1', '--json']);
    expect(missing).toMatchObject({ status: 1, stderr: expect.stringMatching(/^ERROR: no private registry\n/) });
    const { code, message, hint } = JSON.parse(missing.stdout);
    expect([code, message]).toEqual(['NO_REGISTRY', 'no private registry']);
    expect(hint).toContain('lreg_start');
    const wrong = await world.images(['lreg_ls', '--json', '--nonsense']);
    expect(wrong.status).toBe(2);
    expect(JSON.parse(wrong.stdout)).toMatchObject({ code: 'USAGE' });
    expect((await world.images(['lreg_ls'])).stdout).toBe('');
  });

  it('tells which request failed', async () => {
    await using world = await newWorld();
    const { stdout } = await world.images(['inspect', 'docker://127.0.0.1:1/a:1', '--json']);
    const { code, request } = JSON.parse(stdout);
    expect(code).toBe('UNREACHABLE');
    expect(request).toMatchObject({ method: expect.any(String), url: expect.stringContaining('127.0.0.1:1/v2/') });
  });

  it('is also offered by commands that start, remove and print the version', async () => {
    await using world = await newWorld();
    const started = JSON.parse(await world.must(['lreg_start', '--listen=127.0.0.1:0', '--json']));
    expect(started).toMatchObject({
      running: true,
      already: false,
      data: world.data,
      addresses: [{ host: '127.0.0.1' }],
    });
    expect(JSON.parse(await world.must(['lreg_start', '--json']))).toMatchObject({ already: true, pid: started.pid });
    await world.must(['lreg_stop']);
    const version = JSON.parse(await world.must(['version', '--json']));
    expect(version).toEqual({ version: (await world.must(['version'])).trim(), node: expect.any(String) });
  });
});

it('of these tests, a world whose registry cannot be stopped says so, and leaves none running', async () => {
  const world = await newWorld();
  const registry = await world.startRegistry();
  await rm(join(world.data, 'images/registry.json'));
  await expect(world[Symbol.asyncDispose]()).rejects.toThrow(
    'images lreg_stop: exit 0, still running: 1\nThe embedded',
  );
  await expect(fetch(`${registry.base}/v2/`)).rejects.toThrow();
  await expect(readdir(world.path)).rejects.toMatchObject({ code: 'ENOENT' });
});

describe('a current directory that is gone', () => {
  const images = async (world: World, ...args: readonly string[]) => {
    const gone = join(world.path, 'gone');
    await mkdir(gone);
    const script = 'cd "$1" && rmdir "$1" && shift && exec "$@"';
    return await run('sh', ['-c', script, 'sh', gone, ...program(), ...args], { cwd: world.path, env: world.env });
  };

  it('does not disturb commands that do not need it; others report it', async () => {
    await using world = await newWorld();
    expect(await images(world, 'getimages', join(ROOT, 'examples/hello-cluster'))).toMatchObject({ status: 0 });
    for (const args of [
      ['getimages', '.'],
      ['lreg_ls', '--data=d'],
      ['ls', 'oci:here'],
    ]) {
      const { status, stderr } = await images(world, ...args);
      expect(status, args.join(' ')).toBe(1);
      expect(stderr, args.join(' ')).toContain('current directory is gone');
      expect(stderr, args.join(' ')).not.toContain('internal error');
    }
  });
});

describe('a home that cannot be written', () => {
  const { missing, why } = needs('root', 'unshare', 'mount');
  const ROOTED = 'mount -t tmpfs -o ro none "$HOME" && exec "$@"';

  it.skipIf(missing)(`is reported with the two ways to name another directory${why}`, async () => {
    await using world = await newWorld();
    await mkdir(join(world.path, 'home'));
    const env = { ...world.env, HOME: join(world.path, 'home'), XDG_DATA_HOME: undefined, XDG_CACHE_HOME: undefined };
    const images = (...args: readonly string[]) =>
      run('unshare', ['-m', 'sh', '-c', ROOTED, 'sh', ...program(), ...args], { cwd: world.path, env });
    for (const args of [['lreg_start', '--listen=127.0.0.1:0'], ['serve']]) {
      const { status, stderr } = await images(...args);
      expect(status, args.join(' ')).toBe(1);
      expect(stderr, args.join(' ')).toMatch(/--data=DIR or \$IMAGES_DATA/);
    }
    const named = await images('lreg_start', `--data=${env.HOME}/x`);
    expect(named).toMatchObject({ status: 1, stderr: expect.not.stringContaining('$IMAGES_DATA') });
  });

  it('does not disturb commands that need to write nothing there', async () => {
    await using world = await newWorld();
    for (const cache of [{ HOME: '/proc/nobody', XDG_CACHE_HOME: undefined }, { XDG_CACHE_HOME: '/proc/x' }]) {
      expect(await world.images(['version'], { env: cache })).toMatchObject({ status: 0, stderr: '' });
    }
  });
});

function program(): readonly string[] {
  const node = process.env.IMAGES_TEST_NODE;
  return node ? [node, join(ROOT, 'dist/images.js')] : [join(ROOT, 'bin/images')];
}

describe('a large image that is looked into', () => {
  it('does not keep the program from ending on a signal', async () => {
    await using world = await newWorld();
    const files = Array.from({ length: 150_000 }, (_, at) => ({ name: `d${at % 300}/f${at}` }));
    const image = buildImage({ layers: [layerOf(files)] });
    await writeLayout(join(world.path, 'l'), { large: image });
    for (const args of [['usage'], ['ls', '-R'], ['check'], ['docker_ls']]) {
      const whole = performance.now();
      await world.must([...args, 'oci:l:large']);
      const takes = performance.now() - whole;
      // Interrupts the command while it reads, computes or prints.
      for (const share of [0.4, 0.7]) {
        const child = world.startImages([...args, 'oci:l:large']);
        child.stdout?.resume();
        const closed = once(child, 'close');
        await setTimeout(takes * share);
        if (child.exitCode !== null) continue;
        child.kill('SIGTERM');
        const [code, signal] = await closed;
        expect([143, 'SIGTERM'], `${args.join(' ')} at ${share}`).toContain(code ?? signal);
      }
    }
  }, 180_000);
});
