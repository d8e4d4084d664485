// A directory as a build context. Node reads neither extended attributes nor device numbers, so GNU tar packs it into an unlinked temporary file, which serves the contents.
import { spawn } from 'node:child_process';
import { startedProgram } from '../../io/concurrency/started-programs.ts';
import type { Bytes } from '../../io/streams/bytes.ts';
import { digester } from '../../oci/digest.ts';
import { ImagesError } from '../../oci/errors.ts';
import { applyLayers } from '../../rootfs/apply-layers.ts';
import type { IndexedEntry, Layer } from '../../rootfs/contract.ts';
import { fileContent } from '../../rootfs/file-content.ts';
import { cleanPath } from '../../rootfs/path.ts';
import { encodeName, printableName } from '../../tar/names.ts';
import { plainHeader } from '../../tar/plain-header.ts';
import { readTar } from '../../tar/reader.ts';
import type { TarTime } from '../../tar/time.ts';
import { isArchive } from '../files/is-archive.ts';
import type { TreeSource } from '../files/tree-source.ts';
import { type ContextFile, listDirectory } from './list-directory.ts';
import type { Patterns } from './patterns.ts';
import { scanArchive } from './scan-archive.ts';
import type { Spool } from './spool.ts';

export interface DirectoryContextOptions {
  readonly ignore: Patterns | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal?: AbortSignal;
  /** The time of files for which the archive has none: sockets, which become empty files. */
  readonly time: TarTime;
}

/** All files are owned by root. Errors: NO_ACCESS, FILE_UNREADABLE (a file changes or cannot be read), RUN_UNAVAILABLE (no GNU tar). */
export async function directoryContext(
  root: string,
  spool: Spool,
  options: DirectoryContextOptions,
): Promise<TreeSource> {
  const files = await listDirectory(root, options.ignore);
  await pack(root, spool, files, options);
  const contents = new Map<IndexedEntry, string>();
  const entries: IndexedEntry[] = [];
  for await (const entry of readTar(spool.read())) {
    const { name, type, size, mode, mtime, linkname, device, xattrs, sparse, position } = entry;
    const header = {
      name,
      type,
      size,
      mode,
      uid: 0,
      gid: 0,
      mtime,
      linkname,
      device,
      xattrs,
      ...(sparse && { sparse }),
    };
    const indexed: IndexedEntry = { ...header, path: cleanPath(name), position };
    entries.push(indexed);
    if (type !== 'file') continue;
    const hash = digester('sha256').update(JSON.stringify(sparse ?? ''));
    for await (const chunk of entry.stored) hash.update(chunk);
    contents.set(indexed, hash.digest('hex'));
  }
  for (const { path, kind } of files) if (kind === 'socket') entries.push(emptyFile(path, options.time));
  const layer = layerOf(spool);
  return {
    name: 'the context',
    tree: applyLayers([{ entries }], { noWhiteouts: true }),
    layers: [layer],
    contentId: async ({ entry }) => (entry && contents.get(entry)) ?? '',
    archive: async ({ entry }) => {
      if (entry?.type !== 'file') return undefined;
      const open = async (): Promise<Bytes> => fileContent(layer, entry);
      return (await isArchive(await open())) ? { id: (await scanArchive(await open())).id, open } : undefined;
    },
  };
}

async function pack(
  root: string,
  spool: Spool,
  files: readonly ContextFile[],
  options: DirectoryContextOptions,
): Promise<void> {
  const args = [
    ...['--create', '--file=-', `--directory=${root}`, '--format=posix', '--numeric-owner', '--sparse'],
    ...['--xattrs', '--xattrs-include=*', '--no-recursion', '--null', '--verbatim-files-from', '--files-from=-'],
  ];
  const child = spawn('tar', args, {
    env: { ...options.env, LC_ALL: 'C' },
    stdio: ['pipe', spool.fd, 'pipe'],
    ...(options.signal && { signal: options.signal }),
  });
  startedProgram(child);
  let said = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    if (said.length < 4096) said += chunk.toString();
  });
  const ended = new Promise<number | null>((done, fail) => {
    child.on('error', (cause) => fail(options.signal?.aborted ? options.signal.reason : noTar(cause)));
    child.on('close', done);
  });
  // A tar that has failed closes its input. Its exit status tells why.
  child.stdin?.on('error', () => {});
  for (const { path, kind } of files) {
    if (kind !== 'socket') child.stdin?.write(Buffer.concat([Buffer.from('./'), encodeName(path), Buffer.alloc(1)]));
  }
  child.stdin?.end();
  const status = await ended;
  if (status === 0) return;
  const [first = ''] = said.split('\n').filter((line) => line.trim() !== '');
  throw new ImagesError(
    'FILE_UNREADABLE',
    `the context cannot be read: ${printableName(first.replace(/^tar: /, ''))} [${root}]`,
    {
      hint: 'What the image does not need can be left out with a .dockerignore.',
    },
  );
}

function noTar(cause: unknown): ImagesError {
  return new ImagesError('RUN_UNAVAILABLE', 'no tar on this machine, which reads directories with their attributes', {
    hint: 'Install GNU tar (package `tar`).',
    cause,
  });
}

function layerOf(spool: Spool): Layer {
  const digest = `sha256:${'0'.repeat(64)}` as const;
  return { descriptor: { mediaType: 'application/x-tar', digest, size: 0 }, open: async () => spool.read() };
}

function emptyFile(path: string, mtime: TarTime): IndexedEntry {
  const header = plainHeader({ name: path, type: 'file', mode: 0o644, mtime });
  return { ...header, path, position: { head: 0, body: 0, end: 0 } };
}
