import { execFile, execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { chmod, copyFile, mkdir, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { run, until } from '../peers/process.ts';
import { newWorld, ROOT } from '../peers/program.ts';
import { ALPINE, newScene } from './testing/scene.ts';

describe('images', () => {
  it('shows the help when asked in any way, and the help of a command', async () => {
    await using world = await newWorld();
    const help = await world.must([]);
    expect(help).toContain('lreg_preload');
    for (const args of [['help'], ['-h'], ['--help'], ['--verbose']]) expect(await world.must(args)).toBe(help);
    const preload = await world.must(['help', 'lreg-preload']);
    expect(preload).toContain('--keep-going');
    expect(await world.must(['lreg_preload', '--help'])).toBe(preload);
  });

  it('prints its version', async () => {
    await using world = await newWorld();
    expect(await world.must(['--version'])).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  it.skipIf(!existsSync('/dev/full'))('reports that there is no space for its output', async () => {
    await using world = await newWorld();
    const { status, stderr } = await run('sh', ['-c', `${join(ROOT, 'bin/images')} help > /dev/full`], {
      env: world.env,
    });
    expect(stderr).toMatch(/^ERROR: no space left \[standard output\]\n/);
    expect(status).toBe(1);
  });

  it('ends with status 2 if it is used wrongly, and suggests what was meant', async () => {
    await using world = await newWorld();
    expect(await world.images(['lreg_lss'])).toEqual({
      status: 2,
      stdout: '',
      stderr: 'ERROR: unknown command [lreg_lss]\nDid you mean `images lreg_ls`?\n',
    });
    for (const args of [['--nonsense'], ['lreg_ls', '--nonsense'], ['lreg_isloaded'], ['lreg_ls', 'x']]) {
      const { status, stdout, stderr } = await world.images(args);
      expect({ status, stdout }, args.join(' ')).toEqual({ status: 2, stdout: '' });
      expect(stderr.split('\n'), args.join(' ')).toHaveLength(3);
    }
  });

  it('shows where in the sources an error comes from with --verbose only', async () => {
    await using world = await newWorld();
    expect((await world.images(['lreg_ls'])).stderr).not.toContain('    at ');
    expect((await world.images(['--verbose', 'lreg_ls'])).stderr).toMatch(
      /^ {4}at \w+ \(\/.*\/src\/tasks\/[\w/-]+\.ts:\d+:\d+\)$/m,
    );
  });

  it('ends quietly when nobody reads its output any more', async () => {
    await using world = await newWorld();
    const command = `set -o pipefail; "${join(ROOT, 'bin/images')}" help | true`;
    const { stderr } = await promisify(execFile)('bash', ['-c', command], { env: { ...process.env, ...world.env } });
    expect(stderr).toBe('');
  });

  it('ends with status 130 on Ctrl-C, and the next run completes', async () => {
    await using scene = await newScene();
    const { world, upstream, at } = scene;
    const overlay = await scene.overlay('one', [at('library/alpine:1')]);
    const layer = ALPINE.blobs[1]?.digest ?? '';
    upstream.behave({ hang: new RegExp(layer) });
    const child = world.startImages(['lreg_preload', overlay]);
    const closed = once(child, 'close');
    await until(async () => upstream.requests.some((request) => request.includes(layer)));
    child.kill('SIGINT');
    // Exit code or signal depends on what a thread is doing at that moment. Shells report both as 130.
    const [code, signal] = await closed;
    expect([130, 'SIGINT']).toContain(code ?? signal);
    // The config is requested first: nothing is written before all parts have been compared.
    expect((await world.images(['lreg_ls'])).stdout).toBe('');
    upstream.behave({});
    await world.must(['lreg_preload', overlay]);
    expect(await world.must(['lreg_ls'])).toBe('library/alpine:\n  ["1"]\n');
  });
});

describe('bin/images', () => {
  const debianNode = '/usr/bin/node';
  const here = existsSync(debianNode);
  const old = here && execFileSync(debianNode, ['--version']).toString().startsWith('v20.');

  it.skipIf(!old)(`says in one line what it needs${old ? '' : ' (skipped: no old node here)'}`, async () => {
    await using world = await newWorld();
    const { status, stdout, stderr } = await run(debianNode, [join(ROOT, 'dist/images.js'), 'help'], {
      env: world.env,
    });
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
    expect(stderr).toMatch(/^ERROR: images needs Node 22\.19 or newer \[this is 20\.[\d.]+\]\n[^\n]*npm ci[^\n]*\n$/);
  });

  it('says how to build it if nothing is built', async () => {
    await using world = await newWorld();
    await mkdir(join(world.path, 'copy/bin'), { recursive: true });
    await copyFile(join(ROOT, 'bin/images'), join(world.path, 'copy/bin/images'));
    const { status, stderr } = await run(join(world.path, 'copy/bin/images'), ['help'], { env: world.env });
    expect(status).toBe(1);
    expect(stderr).toBe(`ERROR: images is not built [${world.path}/copy]\nRun \`npm ci\` there.\n`);
  });

  it('starts through links, from any directory, whatever CDPATH says', async () => {
    await using world = await newWorld();
    const at = join(world.path, 'a place');
    await mkdir(join(at, 'elsewhere/bin'), { recursive: true });
    await symlink(join(ROOT, 'bin'), join(at, 'linked'));
    await symlink(join(ROOT, 'bin/images'), join(at, 'images'));
    await symlink(ROOT, join(at, 'checkout'));
    const env = { ...world.env, CDPATH: join(at, 'elsewhere') };
    for (const command of ['linked/images', './images', 'checkout/bin/images']) {
      const result = await run('sh', ['-c', `${command} version`], { cwd: at, env });
      expect(result, command).toMatchObject({ status: 0, stderr: '' });
    }
    expect(await run('sh', ['-c', 'bin/images version'], { cwd: ROOT, env })).toMatchObject({ status: 0, stderr: '' });
  });

  it('runs the old build if sources are newer and it cannot build', async () => {
    await using world = await newWorld();
    const copy = join(world.path, 'copy');
    for (const name of ['bin', 'src', 'dist']) await mkdir(join(copy, name), { recursive: true });
    await copyFile(join(ROOT, 'bin/images'), join(copy, 'bin/images'));
    await symlink(join(ROOT, 'node_modules'), join(copy, 'node_modules'));
    await writeFile(join(copy, 'dist/images.js'), 'console.log("built before");');
    await utimes(join(copy, 'dist/images.js'), 0, 0);
    await writeFile(join(copy, 'src/newer.ts'), '');
    await chmod(join(copy, 'dist'), 0o555);
    for (const path of [world.path, copy]) await chmod(path, 0o755);
    const asNobody = process.getuid?.() === 0 ? ['setpriv', '--reuid=65534', '--clear-groups'] : [];
    const [command = '', ...args] = [...asNobody, join(copy, 'bin/images')];
    expect(await run(command, args, { env: world.env })).toEqual({ status: 0, stdout: 'built before\n', stderr: '' });
  });

  it.each(['SIGINT', 'SIGTERM'] as const)('is ended by %s while it computes', async (signal) => {
    await using world = await newWorld();
    const file = join(world.path, 'large.yaml');
    await writeFile(
      file,
      `kind: List\napiVersion: v1\nitems:\n${'- {kind: Pod, apiVersion: v1, spec: {containers: [{name: a, image: "q.io/a/b:1"}]}}\n'.repeat(60_000)}`,
    );
    const child = world.startImages(['getimages', file]);
    const closed = once(child, 'close');
    // By now it has read the file, and is processing it.
    await until(async () => processorTime(child.pid) > 50);
    child.kill(signal);
    expect(await closed).toEqual([null, signal]);
  });

  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('ends after %s even if a system call hangs', async (signal, status) => {
    await using world = await newWorld();
    const pipe = join(world.path, 'pipe');
    execFileSync('mkfifo', [pipe]);
    const held = world.startImages(['copy', `docker-archive:${pipe}`, `dir:${join(world.path, 'out')}`]);
    const closed = once(held, 'close');
    await until(async () => processorTime(held.pid) > 5);
    await new Promise((resolve) => setTimeout(resolve, 500));
    held.kill(signal);
    const [code, by] = await closed;
    expect([code, by]).toContainEqual(code === null ? signal : status);
  });
});

/** In hundredths of a second. */
function processorTime(pid: number | undefined): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return Number(fields[11]) + Number(fields[12]);
}
