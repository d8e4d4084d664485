// `npm run release -- VERSION [--dry-run] [--tests=unit|all|none]`: makes a release and checks it. All of it is made in a clean clone: version, changelog
// section, commit, package, and the package in an empty project. Only what has passed comes back: the commit (fast-forward), the tag, the package.
// Nothing is pushed or published; the commands that do are printed. With --dry-run nothing comes back.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { releaseSection } from './release/changelog.ts';
import { checkVersion, withVersion } from './release/version.ts';

const ROOT = join(import.meta.dirname, '..');
const VERSION_FILE = 'src/cli/process/version.ts';
/** What runs where, besides lint, types and build. */
const TESTS: Readonly<Record<string, readonly string[]>> = {
  none: [],
  unit: ['npx', 'vitest', 'run', 'src', 'test/structure', 'test/golden', 'test/scripts', '--project', 'all'],
  all: ['npm', 'test'],
};

const words = process.argv.slice(2);
const version = words.find((word) => !word.startsWith('--')) ?? '';
const dryRun = words.includes('--dry-run');
const tests = words.find((word) => word.startsWith('--tests='))?.slice('--tests='.length) ?? 'unit';
const env = cleanEnvironment();
const scratch = await mkdtemp(join(tmpdir(), 'images-release-'));
// The child that runs gets the signal too; then the error of its end leads to `finally`.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => (process.exitCode = 130));

try {
  await release();
} catch (error) {
  process.exitCode ??= 1;
  console.error(`release: ${error instanceof Error ? error.message : error}`);
} finally {
  await rm(scratch, { recursive: true, force: true });
}

async function release(): Promise<void> {
  const command = TESTS[tests];
  if (
    version === '' ||
    !command ||
    words.some((word) => word.startsWith('--') && !/^--(?:dry-run|tests=.*)$/.test(word))
  ) {
    throw new Error(`usage: npm run release -- VERSION [--dry-run] [--tests=${Object.keys(TESTS).join('|')}]`);
  }
  const branch = checkCheckout();
  const clone = join(scratch, 'clone');
  await run('git', ['clone', '--quiet', '--branch', branch, ROOT, clone], ROOT);
  const notes = await commitRelease(clone);
  await checkClone(clone, command);
  const tarball = await packAndTry(clone);
  if (dryRun) return console.log(`\nrelease: ${version} can be made (--dry-run: nothing was changed)\n\n${notes}`);

  await run('git', ['fetch', '--quiet', clone, branch], ROOT);
  await run('git', ['merge', '--quiet', '--ff-only', 'FETCH_HEAD'], ROOT);
  await writeFile(join(scratch, 'message'), `images ${version}\n\n${notes}\n`);
  // Headings of the notes begin with `#`: no comments.
  await run(
    'git',
    ['tag', '--annotate', '--cleanup=whitespace', `--file=${join(scratch, 'message')}`, `v${version}`],
    ROOT,
  );
  await copyFile(join(scratch, tarball), join(ROOT, tarball));
  console.log(`
release: ${version} is made: a commit on ${branch}, the tag v${version}, ${tarball}. To publish it:
  git push origin ${branch} v${version}
  npm publish --access=public ./${tarball}
To take it back before that:
  git tag --delete v${version} && git reset --keep HEAD~1 && rm ${tarball}`);
}

/** Gives the branch. A dry run may be on another one, because nothing comes back to it. */
function checkCheckout(): string {
  const branch = git('branch', '--show-current');
  if (branch === '') throw new Error('no branch is checked out');
  if (branch !== 'main' && !dryRun) throw new Error(`releases are made on main [this is ${branch}]`);
  if (git('status', '--porcelain') !== '') throw new Error('there are changes that are not committed: git status');
  // Asked now: the commit is made minutes later.
  git('var', 'GIT_COMMITTER_IDENT');
  if (git('tag', '--list', `v${version}`) !== '') throw new Error(`the tag v${version} is there already`);
  return branch;
}

/** Version and changelog, committed in the clone, in the name of the user who runs this. Gives the notes. */
async function commitRelease(clone: string): Promise<string> {
  const { version: current } = JSON.parse(await readFile(join(clone, 'package.json'), 'utf8')) as { version: string };
  checkVersion(version, current);
  const date = new Date().toISOString().slice(0, 10);
  const { changelog, notes } = releaseSection(await readFile(join(clone, 'CHANGELOG.md'), 'utf8'), version, date);
  await writeFile(join(clone, 'CHANGELOG.md'), changelog);
  const source = await readFile(join(clone, VERSION_FILE), 'utf8');
  await writeFile(join(clone, VERSION_FILE), withVersion(source, version));
  // package.json and the two places in package-lock.json.
  await run('npm', ['version', version, '--no-git-tag-version', '--ignore-scripts', '--silent'], clone);
  for (const key of ['user.name', 'user.email']) {
    const value = git('config', '--default=', key);
    if (value !== '') await run('git', ['config', key, value], clone);
  }
  await run('git', ['commit', '--quiet', '--all', '--message', `Release ${version}`], clone);
  return notes;
}

async function checkClone(clone: string, test: readonly string[]): Promise<void> {
  // Builds too (`prepare` of scripts/node).
  await run('npm', ['ci', '--no-audit', '--no-fund'], clone);
  for (const script of ['lint', 'types', 'check:docs']) await run('npm', ['run', '--silent', script], clone);
  const [command, ...args] = test;
  if (command !== undefined) await run(command, args, clone);
  const { stdout } = spawnSync('git', ['status', '--porcelain'], { cwd: clone, encoding: 'utf8' });
  if (stdout !== '') throw new Error(`building and testing changed the clone:\n${stdout}`);
}

/** The package, and what it says of its version where it is installed in an empty project. Gives its file's name. */
async function packAndTry(clone: string): Promise<string> {
  await run('npm', ['pack', '--silent', '--pack-destination', scratch], clone);
  const { name } = JSON.parse(await readFile(join(clone, 'package.json'), 'utf8')) as { name: string };
  // As npm names it: @scope/name → scope-name.
  const tarball = `${name.replace(/^@/, '').replace('/', '-')}-${version}.tgz`;
  const project = join(scratch, 'project');
  await mkdir(project);
  await writeFile(join(project, 'package.json'), '{ "name": "empty", "version": "1.0.0", "private": true }\n');
  await run('npm', ['install', '--no-audit', '--no-fund', join(scratch, tarball)], project);
  const said = spawnSync(join(project, 'node_modules/.bin/images'), ['version'], {
    cwd: project,
    env,
    encoding: 'utf8',
  });
  if (said.stdout?.trim() !== version) {
    throw new Error(`the installed package says of its version [${said.stdout?.trim()}] ${said.stderr ?? said.error}`);
  }
  return tarball;
}

function git(...args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync('git', args, { cwd: ROOT, encoding: 'utf8' });
  if (status !== 0) throw new Error(`git ${args.join(' ')}: ${stderr}`);
  return stdout.trim();
}

/** Runs a command with its output on the terminal. Throws unless it ends with status 0. */
async function run(command: string, args: readonly string[], cwd: string): Promise<void> {
  console.error(`release: ${command} ${args.join(' ')}`);
  const child = spawn(command, args, { cwd, env, stdio: ['ignore', 'inherit', 'inherit'] });
  const [status, signal] = (await once(child, 'close')) as [number | null, string | null];
  if (status !== 0) throw new Error(`${command} ${args[0]} ended with ${signal ?? `status ${status}`}`);
}

/** Without what npm tells its scripts about this checkout: neither its programs nor its prefix must be those of the clone. The same Node. */
function cleanEnvironment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(
    ([name]) => !/^(?:npm_(?!config_(?:registry|cache|userconfig)$)|INIT_CWD$)/.test(name),
  );
  const path = (process.env.PATH ?? '').split(delimiter).filter((folder) => !folder.includes('node_modules'));
  return { ...Object.fromEntries(kept), PATH: [dirname(process.execPath), ...path].join(delimiter) };
}
