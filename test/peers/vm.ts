// Real VMs. Their scripts are beside the project (peers/vm-image, peers/vm-run); without these or qemu, tests are skipped.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { because, type Needs, needs } from './find.ts';
import { must, type Result } from './process.ts';
import { ROOT } from './program.ts';
import { temporaryDirectory } from './temporary.ts';

const RECIPES = join(ROOT, '../shared/peers');
const KEPT = ['/var/tmp/vm', '/var/tmp/images-vm'];

export function vmNeeds(...programs: readonly string[]): Needs {
  return because([
    existsSync(join(RECIPES, 'vm-run')) ? undefined : 'no recipe for a VM beside the project',
    needs('qemu-system-x86_64', 'socat', 'busybox', ...programs).why.replace(/^ \(skipped: (.*)\)$/, '$1'),
    KEPT.some(isImage) || !needs('root', 'debootstrap').missing ? undefined : 'no VM image and no root to make one',
  ]);
}

/** The image that `vm-run` boots. It is made once for all runs, which takes a minute or two. */
export async function vmImage(): Promise<string> {
  const kept = KEPT.find(isImage);
  if (kept) return kept;
  const directory = KEPT.at(-1) ?? '';
  // Several test files may need it at the same time.
  await must('flock', [`${directory}.lock`, join(RECIPES, 'vm-image'), directory]);
  return directory;
}

/** In milliseconds; a VM takes 10 to 40 s. */
const ATTEMPT = 100_000;
const ATTEMPTS = 3;

/**
 * Boots a VM, unpacks the disks on its `/`, runs their boot scripts, then the script; the console is stdout. Emulated machines lock up now and then
 * ("soft lockup - CPU#0 stuck", mostly with two processors). A VM that does not end in time is killed, and another one is booted.
 */
export async function runVm(script: string, options: readonly string[]): Promise<Result> {
  await using directory = await temporaryDirectory('vm');
  const file = join(directory.path, 'script');
  await writeFile(file, script);
  const args = [await vmImage(), file, '--cpus=1', ...options];
  for (let attempt = 1; ; attempt++) {
    const result = await boot(args);
    if (result.status !== LOCKED_UP || attempt === ATTEMPTS) return result;
  }
}

const LOCKED_UP = -1;

/** Runs the VM in its own process group, and kills the group at the end. */
async function boot(args: readonly string[]): Promise<Result> {
  const child = spawn(join(RECIPES, 'vm-run'), args, { detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  const [stdout, stderr]: [Buffer[], Buffer[]] = [[], []];
  child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
  let locked = false;
  const limit = setTimeout(() => {
    locked = true;
    if (child.pid) process.kill(-child.pid, 'SIGTERM');
  }, ATTEMPT);
  const [status] = (await once(child, 'close')) as [number | null];
  clearTimeout(limit);
  const text = (chunks: readonly Buffer[]) => Buffer.concat(chunks).toString();
  return { status: locked ? LOCKED_UP : (status ?? LOCKED_UP), stdout: text(stdout), stderr: text(stderr) };
}

/** The console lines that the script has marked. */
export function okLines({ stdout }: Result): readonly string[] {
  return stdout.split('\n').filter((line) => line.startsWith('OK '));
}

function isImage(directory: string): boolean {
  return existsSync(join(directory, 'root.ext4')) && existsSync(join(directory, 'initrd.gz'));
}
