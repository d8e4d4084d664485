// Real VMs, whose recipes are beside the project (peers/vm-image, peers/vm-run); where they or qemu are absent tests are skipped.
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { because, type Needs, needs } from './find.ts';
import { must, type Result, run } from './process.ts';
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

/** What `vm-run` boots: made once for all runs, it takes a minute or two. */
export async function vmImage(): Promise<string> {
  const kept = KEPT.find(isImage);
  if (kept) return kept;
  const directory = KEPT.at(-1) ?? '';
  await must(join(RECIPES, 'vm-image'), [directory]);
  return directory;
}

/** Boots a VM, unpacks the disks on its `/`, runs their boot scripts, then the script; the console is stdout. */
export async function runVm(script: string, options: readonly string[]): Promise<Result> {
  await using directory = await temporaryDirectory('vm');
  const file = join(directory.path, 'script');
  await writeFile(file, script);
  return await run(join(RECIPES, 'vm-run'), [await vmImage(), file, ...options]);
}

/** Lines of the console that the script marked. */
export function okLines({ stdout }: Result): readonly string[] {
  return stdout.split('\n').filter((line) => line.startsWith('OK '));
}

function isImage(directory: string): boolean {
  return existsSync(join(directory, 'root.ext4')) && existsSync(join(directory, 'initrd.gz'));
}
