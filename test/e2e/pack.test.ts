// The published package: packed from a clean copy, installed in an empty project, imported, run and type-checked there.
import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { must, run } from '../peers/process.ts';
import { ROOT } from '../peers/program.ts';

const NODE = process.env.IMAGES_TEST_NODE ?? process.execPath;
const MB = 1_000_000;
/** The parts of a checkout that packing needs, without tests and built files. */
const SOURCES = [
  'package.json',
  'tsconfig.json',
  'tsconfig.types.json',
  'bin',
  'docs',
  'examples',
  'ovl',
  'scripts',
  'src',
  'README.md',
  'LICENSE',
];
const npm = {
  npm_config_offline: 'true',
  npm_config_audit: 'false',
  npm_config_fund: 'false',
  NODE_OPTIONS: undefined,
};

let top: string;
let project: string;
let subpaths: readonly string[];
let installed: Awaited<ReturnType<typeof run>>;

beforeAll(async () => {
  top = await mkdtemp(join(tmpdir(), 'images-pack-'));
  const copy = join(top, 'copy');
  for (const name of SOURCES) await cp(join(ROOT, name), join(copy, name), { recursive: true });
  await symlink(join(ROOT, 'node_modules'), join(copy, 'node_modules'));
  await must('npm', ['pack', '--pack-destination', top], { cwd: copy, env: npm });
  const archive = (await readdir(top)).find((name) => name.endsWith('.tgz')) ?? '';
  project = join(top, 'project');
  await mkdir(project);
  await writeFile(join(project, 'package.json'), '{ "name": "consumer", "private": true, "type": "module" }\n');
  installed = await run('npm', ['install', join(top, archive)], { cwd: project, env: npm });
  if (installed.status !== 0) throw new Error(installed.stderr);
  const { exports } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8'));
  subpaths = Object.keys(exports)
    .filter((key) => key !== './package.json')
    .map((key) => `@images-oci/images${key.slice(1)}`);
});

afterAll(() => rm(top, { recursive: true, force: true }));

/** Runs a command that finds the Node of this process. */
async function runHere(command: string, args: readonly string[]): Promise<string> {
  const path = [dirname(NODE), '/usr/bin', '/bin'].join(delimiter);
  return await must(command, args, { cwd: project, env: { PATH: path, HOME: top, NODE_OPTIONS: undefined } });
}

describe('the package', () => {
  it('has nothing that npm would run, or warn about, when it is installed', async () => {
    expect(installed.stderr).not.toMatch(/script/);
    const text = await readFile(join(project, 'node_modules/@images-oci/images/package.json'), 'utf8');
    const { scripts } = JSON.parse(text) as { scripts: Record<string, string> };
    expect(Object.keys(scripts).filter((name) => /^(?:pre|post)?(?:install|prepare)$/.test(name))).toEqual([]);
  });

  it('brings no other package, no Node, and less than 15 MB', async () => {
    const installed = join(project, 'node_modules');
    const names = (await readdir(installed)).filter((name) => !name.startsWith('.'));
    expect(names).toEqual(['@images-oci']);
    expect(await readdir(join(installed, '@images-oci'))).toEqual(['images']);
    expect(await readdir(join(installed, '.bin'))).toEqual(['images']);
    let bytes = 0;
    for (const entry of await readdir(installed, { recursive: true, withFileTypes: true })) {
      if (entry.isFile()) bytes += (await stat(join(entry.parentPath, entry.name))).size;
    }
    expect(bytes / MB).toBeLessThan(15);
    const own = await readdir(join(installed, '@images-oci/images'));
    expect(own.sort()).toEqual(['LICENSE', 'README.md', 'bin', 'dist', 'docs', 'examples', 'ovl', 'package.json']);
  });

  it('is imported as a whole and in parts, and works', async () => {
    const script = `
      for (const name of ${JSON.stringify(subpaths)}) if (Object.keys(await import(name)).length === 0) throw new Error(name);
      const { copyImage, formatReference, parseReference, openEmbeddedStore, serve } = await import('@images-oci/images');
      if (![copyImage, openEmbeddedStore, serve].every((each) => typeof each === 'function')) throw new Error('not there');
      const { writeTar, readTar, plainHeader } = await import('@images-oci/images/tar');
      const names = [];
      for await (const { name } of readTar(writeTar([plainHeader({ name: 'a/', type: 'directory', mode: 0o755 })]))) names.push(name);
      console.log(formatReference(parseReference('quay.io/a/b:1')), names.join());
    `;
    await writeFile(join(project, 'import.js'), script);
    expect(await runHere(NODE, ['import.js'])).toBe('quay.io/a/b:1 a/\n');
  });

  it('is required by a CommonJS module too', async () => {
    await writeFile(join(project, 'require.cjs'), "console.log(typeof require('@images-oci/images').copyImage);\n");
    expect(await runHere(NODE, ['require.cjs'])).toBe('function\n');
  });

  it('keeps to itself what is not public', async () => {
    await writeFile(join(project, 'deep.js'), "await import('@images-oci/images/dist/lib/types.js');\n");
    const { status, stderr } = await run(NODE, ['deep.js'], { cwd: project });
    expect(status).toBe(1);
    expect(stderr).toContain('ERR_PACKAGE_PATH_NOT_EXPORTED');
  });

  it('brings the command, which runs on the Node of its user', async () => {
    const { version } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8'));
    expect(await runHere(join(project, 'node_modules/.bin/images'), ['--version'])).toBe(`${version}\n`);
  });

  it('has types that a strict project compiles with, its examples among it', async () => {
    // @types/node is a dependency of the test project.
    await symlink(join(ROOT, 'node_modules/@types'), join(project, 'node_modules/@types'));
    await symlink(join(ROOT, 'node_modules/undici-types'), join(project, 'node_modules/undici-types'));
    for (const name of await readdir(join(ROOT, 'examples'))) {
      if (name.endsWith('.ts')) await cp(join(ROOT, 'examples', name), join(project, 'examples', name));
    }
    const imports = subpaths.map((name, at) => `import * as part${at} from '${name}';`);
    const uses = subpaths.map((_, at) => `console.log(part${at});`);
    await writeFile(join(project, 'all.ts'), [...imports, ...uses, ''].join('\n'));
    const compilerOptions = {
      target: 'es2024',
      lib: ['es2024', 'esnext.disposable', 'esnext.array'],
      module: 'nodenext',
      types: ['node'],
      strict: true,
      exactOptionalPropertyTypes: true,
      noUncheckedIndexedAccess: true,
      noEmit: true,
      skipLibCheck: false,
    };
    const include = ['all.ts', 'examples'];
    await writeFile(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions, include }));
    expect(await run(join(ROOT, 'node_modules/.bin/tsc'), ['-p', project])).toEqual({
      status: 0,
      stdout: '',
      stderr: '',
    });
  });

  const oldNode = '/usr/bin/node';
  it.skipIf(!existsSync(oldNode))('says in one line which Node it needs, the library and the command', async () => {
    if (!/^v(?:1[4-9]|20|21)\./.test(await must(oldNode, ['--version']))) return;
    await writeFile(join(project, 'one.js'), `await import('@images-oci/images');\n`);
    expect((await run(oldNode, ['one.js'], { cwd: project })).stderr).toMatch(
      /^Error: @images-oci\/images needs Node 22\.19 or newer \[this is [\d.]+\]$/m,
    );
    const { status, stderr } = await run(join(project, 'node_modules/.bin/images'), ['help'], {
      env: { PATH: '/usr/bin:/bin' },
    });
    expect(status).toBe(1);
    expect(stderr).toMatch(/^ERROR: images needs Node 22\.19 or newer \[this is [\d.]+\]\n[^\n]+\n$/);
  });
});
