// Real VMs, in plain emulation. The script that makes their image is beside the project (peers/vm-image); without it or qemu, tests are skipped.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { because, type Needs, needs } from './find.ts';
import { must } from './process.ts';
import { ROOT } from './program.ts';
import { temporaryDirectory } from './temporary.ts';
import { type VmCard, vmCommand } from './vm-command.ts';

const RECIPES = join(ROOT, '../shared/peers');
const KEPT = ['/var/tmp/vm', '/var/tmp/images-vm'];

export function vmNeeds(...programs: readonly string[]): Needs {
  return because([
    existsSync(join(RECIPES, 'vm-image')) ? undefined : 'no recipe for a VM beside the project',
    needs('qemu-system-x86_64', 'socat', 'busybox', ...programs).why.replace(/^ \(skipped: (.*)\)$/, '$1'),
    KEPT.some(isImage) || !needs('root', 'debootstrap').missing ? undefined : 'no VM image and no root to make one',
  ]);
}

/** The image that VMs boot. It is made once for all runs, which takes a minute or two. */
export async function vmImage(): Promise<string> {
  const kept = KEPT.find(isImage);
  if (kept) return kept;
  const directory = KEPT.at(-1) ?? '';
  // Several test files may need it at the same time.
  await must('flock', [`${directory}.lock`, join(RECIPES, 'vm-image'), directory]);
  return directory;
}

export interface VmOptions {
  /** A tar is unpacked on `/` at boot, in this order, as xcluster does with overlays; a squashfs is left to what runs then. */
  readonly disks?: readonly string[];
  /** `192.168.0.250:PORT` of the VM reaches this port of the machine's loopback; nothing else answers. */
  readonly forwards?: Readonly<Record<number, number>>;
  /** In the place of that. */
  readonly card?: VmCard;
  /** The VM's root, for its next boot: a file that is made where it is not there. Else what is written is gone when the VM ends. */
  readonly disk?: string;
}

export interface VmResult {
  /** Of the script; -1 if the VM did not come to its end. */
  readonly status: number;
  /** The console. */
  readonly stdout: string;
  /** Seconds of the processor that it took: the same on a busy machine, or nearly. */
  readonly processor: number;
}

/** Seconds of the processor, of which a VM takes 5 to 40 (a pull of 200 MB 80), and of the clock, however busy the machine is. */
const BUSY = 240;
const LONGEST = 1200;
const ATTEMPTS = 3;

/**
 * Boots a VM, unpacks the disks on its `/`, runs their boot scripts, then the script. Emulated machines lock up now and then
 * ("soft lockup - CPU#0 stuck", mostly with two processors). A VM that takes too much of the processor is killed, and another one is booted.
 */
export async function runVm(script: string, options: VmOptions = {}): Promise<VmResult> {
  await using directory = await temporaryDirectory('vm');
  const at = (name: string) => join(directory.path, name);
  await mkdir(at('script'));
  await must('sh', ['-c', `cat >"$0/script/run"; tar -C "$0/script" -cf "$0/script.tar" run`, directory.path], {
    input: script,
  });
  const image = await vmImage();
  for (let attempt = 1; ; attempt++) {
    const disk = options.disk === undefined ? undefined : at('disk');
    if (disk !== undefined) await copyDisk(options.disk as string, disk, image);
    const command = vmCommand({ ...options, image, script: at('script.tar'), disk });
    const result = await boot(command);
    if (result.status === LOCKED_UP && attempt < ATTEMPTS) continue;
    if (disk !== undefined && result.status !== LOCKED_UP) await must('mv', [disk, options.disk as string]);
    return result;
  }
}

/** So that a VM that locks up can be booted anew from what there was. */
async function copyDisk(disk: string, to: string, image: string): Promise<void> {
  await must('cp', ['--sparse=always', existsSync(disk) ? disk : join(image, 'root.ext4'), to]);
}

const LOCKED_UP = -1;

/** Runs the VM in its own process group, and kills the group at the end. */
async function boot([program = '', ...args]: readonly string[]): Promise<VmResult> {
  const child = spawn(program, args, { detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  const console: Buffer[] = [];
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => console.push(chunk));
  const begun = performance.now();
  let processor = 0;
  let locked = false;
  const watch = setInterval(() => {
    processor = Math.max(processor, processorSeconds(child.pid));
    locked ||= processor > BUSY || performance.now() - begun > LONGEST * 1000;
    if (locked && child.pid) process.kill(-child.pid, 'SIGTERM');
  }, 200);
  await once(child, 'close');
  clearInterval(watch);
  const stdout = Buffer.concat(console).toString().replaceAll('\r', '');
  const status = /^VM: exit (\d+)$/m.exec(stdout)?.[1];
  return { status: locked || status === undefined ? LOCKED_UP : Number(status), stdout, processor };
}

/** proc(5): fields 14 and 15, in hundredths, counted from the end of the name, which can contain anything. 0 if it has ended. */
function processorSeconds(pid: number | undefined): number {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[11]) + Number(fields[12])) / 100;
  } catch {
    return 0;
  }
}

/** The console lines that the script has marked. */
export function okLines({ stdout }: Pick<VmResult, 'stdout'>): readonly string[] {
  return stdout.split('\n').filter((line) => line.startsWith('OK '));
}

function isImage(directory: string): boolean {
  return existsSync(join(directory, 'root.ext4')) && existsSync(join(directory, 'initrd.gz'));
}
