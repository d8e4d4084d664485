// A tar archive whose files can be read in any order. Listing it seeks over the bodies. A compressed archive, or one from a pipe, is first unpacked into an
// unnamed file.
import { type FileHandle, open } from 'node:fs/promises';
import { readFileBytes } from '../../io/files/file-bytes.ts';
import { isFsError } from '../../io/files/fs-errors.ts';
import { openUncompressed } from '../../io/files/uncompressed-file.ts';
import type { CallOptions } from '../../io/streams/bytes.ts';
import { ImagesError } from '../../oci/errors.ts';
import { inArchive } from '../../rootfs/damaged.ts';
import type { LayoutFiles } from '../layout/layout-files.ts';
import { type ArchiveNames, archiveNames, cleanName, DIRECTORY } from './archive-names.ts';
import { type SeekOptions, type SoughtEntry, seekEntries } from './seek-entries.ts';

export interface ArchivedFile {
  readonly name: string;
  /** In bytes. */
  readonly size: number;
}

interface FileWithOffset extends ArchivedFile {
  /** Offset of its first byte in the uncompressed archive. */
  readonly at: number;
}

export interface ArchiveFile extends LayoutFiles, AsyncDisposable {
  /** The file with this name, following links in the archive. Returns `undefined` if there is none. */
  find(name: string): ArchivedFile | undefined;
  /** The names of all regular files. */
  names(): Iterable<string>;
  /** Names that are neither a regular file nor a directory, or that lead out of the archive. */
  others(): Iterable<string>;
  /**
   * Opens a file that is itself an uncompressed archive; usable until the outer archive is disposed. Absent in a nested archive. Errors: TAR_INVALID,
   * BLOB_UNKNOWN.
   */
  nested?(name: string, options?: CallOptions): Promise<ArchiveFile>;
}

export interface OpenArchiveOptions extends CallOptions {
  /** For messages: `oci-archive:FILE`. */
  readonly label: string;
  /** The directory in which a compressed archive is unpacked. */
  readonly temporaryDirectory: string;
}

/** Limit of entries: no archive of an image has more. */
const MAX_ENTRIES = 200_000;

/** Opens the archive at `path`; `-` is standard input. Errors: FILE_UNREADABLE, TAR_INVALID, COMPRESSION_INVALID, NO_SPACE. */
export async function openArchive(path: string, options: OpenArchiveOptions): Promise<ArchiveFile> {
  const handle = await openSeekable(path, options);
  try {
    return { ...(await archiveIn(handle, options)), [Symbol.asyncDispose]: () => handle.close() };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

type Listing = SeekOptions & Pick<OpenArchiveOptions, 'label'>;

/** The handle stays the caller's. */
async function archiveIn(handle: FileHandle, options: Listing): Promise<ArchiveFile> {
  const { label } = options;
  const files = await listFiles(handle, options).catch((error: unknown) => {
    throw inArchive(error, label);
  });
  const { find } = files;
  const mustFind = (name: string): FileWithOffset => {
    const file = find(name);
    if (!file) throw new ImagesError('BLOB_UNKNOWN', `there is no ${name} [${label}]`);
    return file;
  };
  return {
    label,
    find,
    names: files.names,
    others: files.others,
    why: files.why,
    size: async (name) => find(name)?.size,
    async open(name, from) {
      const file = mustFind(name);
      return readFileBytes(handle, { from: file.at + from, to: file.at + file.size });
    },
    async nested(name, call) {
      const { at, size } = mustFind(name);
      // Only one level of nesting is opened: a small archive can contain thousands of nested ones.
      const { nested: _, ...inner } = await archiveIn(handle, {
        ...call,
        from: at,
        to: at + size,
        label: `${label}, in ${name}`,
      });
      return inner;
    },
    async [Symbol.asyncDispose]() {},
  };
}

async function openSeekable(
  path: string,
  { label, signal, temporaryDirectory }: OpenArchiveOptions,
): Promise<FileHandle> {
  let handle: FileHandle;
  try {
    handle = await open(path === '-' ? '/dev/stdin' : path, 'r');
  } catch (error) {
    if (!isFsError(error, 'ENOENT', 'ENOTDIR', 'EACCES')) throw error;
    const why = error.code === 'EACCES' ? 'permission denied' : 'there is no such file';
    throw new ImagesError('FILE_UNREADABLE', `cannot read the archive: ${why} [${path}]`, {
      hint: 'Check the path.',
      cause: error,
    });
  }
  try {
    const info = await handle.stat();
    if (info.isDirectory()) {
      throw new ImagesError('FILE_UNREADABLE', `a directory, not an archive [${path}]`, {
        hint: 'An OCI layout in a directory is oci:DIR.',
      });
    }
    return await openUncompressed(handle, { directory: temporaryDirectory, ...(signal && { signal }) });
  } catch (error) {
    await handle.close();
    throw inArchive(error, label);
  }
}

async function listFiles(handle: FileHandle, { label, ...range }: Listing): Promise<ArchiveNames<FileWithOffset>> {
  const files = archiveNames<FileWithOffset>();
  let entries = 0;
  for await (const entry of seekEntries(handle, range)) {
    if (++entries > MAX_ENTRIES) throw new ImagesError('TAR_INVALID', `more than ${MAX_ENTRIES} entries [${label}]`);
    if (entry.type === 'symlink' || entry.type === 'hardlink') files.addLink(entry);
    else if (entry.type !== 'file' || entry.sparse) files.addOther(entry.name, otherThanFile(entry));
    else files.addFile(entry.name, { name: cleanName(entry.name) ?? entry.name, size: entry.size, at: entry.at });
  }
  return files;
}

/** The kind of an entry that is no readable file, for messages. */
function otherThanFile({ type }: SoughtEntry): string {
  return type === 'file' ? 'a sparse file' : type === 'directory' ? DIRECTORY : `no file (${type})`;
}
