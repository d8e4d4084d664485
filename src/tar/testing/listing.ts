// Lists archives in GNU tar's format (`tar -tv --full-time --numeric-owner`, in UTC), to compare this program with GNU tar.
import { createHash } from 'node:crypto';
import type { TarEntry, TarEntryType } from '../entry.ts';
import { printableName } from '../names.ts';
import { readTar } from '../reader.ts';

const LETTERS: Readonly<Record<TarEntryType, string>> = {
  file: '-',
  hardlink: 'h',
  symlink: 'l',
  character: 'c',
  block: 'b',
  directory: 'd',
  fifo: 'p',
};

/** Cuts bytes into chunks, by default of 700 bytes, so that headers are often split. */
export async function* inChunks(bytes: Uint8Array, size = 700): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

/** One line for each entry. */
export async function listed(archive: Uint8Array, size?: number): Promise<readonly string[]> {
  const lines: string[] = [];
  for await (const entry of readTar(inChunks(archive, size))) lines.push(line(entry));
  return lines;
}

/** Like `listed`. After each line follows what GNU tar does not show: the digest of the content, and the extended attributes. */
export async function listedWhole(archive: Uint8Array, size?: number): Promise<readonly string[]> {
  const lines: string[] = [];
  for await (const entry of readTar(inChunks(archive, size))) {
    const hash = createHash('md5');
    let length = 0;
    for await (const portion of entry.body) {
      hash.update(portion);
      length += portion.length;
    }
    if (length !== entry.size) throw new Error(`${entry.name} has ${length} bytes, not ${entry.size}`);
    const xattrs = [...entry.xattrs].map(([name, value]) => ` ${name}=${Buffer.from(value).toString('hex')}`);
    lines.push(`${line(entry)} ${hash.digest('hex')}${xattrs.sort().join('')}`);
  }
  return lines;
}

/** A line of GNU tar, with its columns separated by one blank. */
export function evenly(text: string): string {
  return text.replace(/^(\S+) +(\S+) +(\S+) (\S+) (\S+) +/, '$1 $2 $3 $4 $5 ');
}

function line(entry: TarEntry): string {
  const { type, mode, uid, gid, size, mtime, name, linkname, device } = entry;
  const { major, minor } = device;
  const length = type === 'character' || type === 'block' ? `${major},${minor}` : size;
  const seconds = new Date(mtime.seconds * 1000).toISOString().slice(0, 19).replace('T', ' ');
  const fraction = mtime.nanoseconds === 0 ? '' : `.${String(mtime.nanoseconds).padStart(9, '0').replace(/0+$/, '')}`;
  const link = type === 'symlink' ? ' -> ' : type === 'hardlink' ? ' link to ' : '';
  const columns = `${LETTERS[type]}${permissions(mode)} ${uid}/${gid} ${length} ${seconds}${fraction}`;
  return `${columns} ${printableName(name)}${link}${printableName(linkname)}`;
}

function permissions(mode: number): string {
  const bits = Array.from('rwxrwxrwx', (letter, index) => ((mode >> (8 - index)) & 1 ? letter : '-'));
  const special = (bit: number, at: number, letter: string): void => {
    if (mode & bit) bits[at] = bits[at] === 'x' ? letter : letter.toUpperCase();
  };
  special(0o4000, 2, 's');
  special(0o2000, 5, 's');
  special(0o1000, 8, 't');
  return bits.join('');
}
