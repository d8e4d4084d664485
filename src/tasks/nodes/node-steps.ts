// What happens to one file of a node: ours put into it, or taken out of it again. Reads alone; `apply-node-config.ts` carries it out.
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isFsError, translatingFsErrors } from '../../io/files/fs-errors.ts';
import type { NodeFile, SharedKind } from '../../nodes/node-file.ts';
import { shadowedHosts } from '../../nodes/shared/hosts-file.ts';
import { withoutShared, withShared } from '../../nodes/shared/merge-shared.ts';
import { refused } from '../../nodes/shared/merged.ts';
import { containersConflict } from './containers-conflict.ts';
import { contentHash, type NodeRecord, type RecordedFile } from './node-record.ts';

export interface NodeChange {
  /** As the node sees it. */
  readonly path: string;
  /** `stays`: ours cannot be put into it, or taken out of it; `why` says the reason. */
  readonly what: 'write' | 'change' | 'restore' | 'remove' | 'stays';
  /** Also of a change: what has to be known of it. */
  readonly why?: string;
}

export interface NodeStep extends NodeChange {
  /** Below the root. */
  readonly file: string;
  /** What is written; `undefined`: the file is removed. */
  readonly content?: Uint8Array;
  readonly like?: { readonly mode: number; readonly uid?: number; readonly gid?: number };
  /** What the record says of the file afterwards: `undefined` for nothing. */
  readonly entry?: RecordedFile;
}

type Kept = NonNullable<RecordedFile['before']>;

const CHANGED = 'it has been changed since';

/** `undefined`: nothing is to be done, and nothing to be noted. */
export async function stepFor(file: NodeFile, root: string, record: NodeRecord): Promise<NodeStep | undefined> {
  const { path, mode, content: ours, shared } = file;
  const entry = record.files.find((known) => known.path === path);
  const bytes = await bytesOf(join(root, path));
  const step = { path: `/${path}`, file: path };
  const stays = (why: string): NodeStep => ({ ...step, what: 'stays', why, ...(entry && { entry }) });
  const conflict = await containersConflict(path, root);
  if (conflict !== undefined) {
    const undone = entry && (await undoing(entry, root));
    if (conflict === 'set-elsewhere') return undone;
    return undone && undone.what !== 'stays' ? { ...undone, why: conflict } : stays(conflict);
  }
  const before = bytes && decoded(bytes, shared);
  if (shared && before === undefined && bytes) return stays('it is not UTF-8');
  const base = await baseFor({ file, entry, bytes, before, at: join(root, path) });
  if ('refused' in base) return stays(base.refused);
  const merged = shared ? withShared(shared, { before: base.text, ours }) : { text: ours };
  if ('refused' in merged) return stays(merged.refused);
  const content = encoded(merged.text, shared);
  if (bytes && content.equals(bytes)) {
    // What was changed since keeps its entry: by what it wrote, that can be told.
    const known = entry && (base.isOurs ? { ...entry, wrote: contentHash(bytes) } : entry);
    return known && { ...step, what: 'stays', entry: known };
  }
  const shadowed = shared === 'hosts' ? shadowedHosts(base.text ?? '', ours) : [];
  return {
    ...step,
    what: bytes ? 'change' : 'write',
    ...(shadowed.length > 0 && { why: `an earlier line has another address for ${shadowed.join(', ')}` }),
    content,
    like: base.kept ?? { mode },
    entry: {
      path,
      wrote: contentHash(content),
      ...(bytes && { earlier: contentHash(bytes) }),
      ours,
      ...(shared && { shared }),
      ...(base.kept && { before: base.kept }),
    },
  };
}

interface Base {
  /** What ours is put into: the file as it would be without us. */
  readonly text: string | undefined;
  /** What comes back when ours goes. */
  readonly kept: Kept | undefined;
  /** The file is as we have written it. */
  readonly isOurs: boolean;
}

interface BaseRequest {
  readonly file: NodeFile;
  readonly entry: RecordedFile | undefined;
  readonly bytes: Uint8Array | undefined;
  readonly before: string | undefined;
  readonly at: string;
}

/** If somebody has changed what we had written, that is what comes back later, without ours. */
async function baseFor(request: BaseRequest): Promise<Base | { readonly refused: string }> {
  const { file, entry, bytes, before, at } = request;
  const { shared } = file;
  if (!bytes) return { text: undefined, kept: entry?.before, isOurs: false };
  if (!entry) return { text: before, kept: await keptOf(at, bytes), isOurs: false };
  const isAsBefore = entry.before?.bytes === Buffer.from(bytes).toString('base64');
  const isOurs = isAsWritten(entry, bytes);
  if (isOurs || isAsBefore) {
    const text = entry.before && decoded(Buffer.from(entry.before.bytes, 'base64'), shared);
    return { text, kept: entry.before, isOurs };
  }
  if (before === file.content) return { text: before, kept: entry.before, isOurs: false };
  if (shared === 'containerd-config') return { text: before, kept: await keptOf(at, bytes), isOurs };
  const left = withoutShared(shared, { changed: before ?? '', ours: entry.ours });
  if (!left) return { text: undefined, kept: undefined, isOurs };
  if ('refused' in left) return left;
  return { text: left.text, kept: await keptOf(at, encoded(left.text, shared)), isOurs };
}

/** Takes ours out again. `undefined`: nothing of it is there. */
export async function undoing(entry: RecordedFile, root: string): Promise<NodeStep | undefined> {
  const { path, ours, shared, before } = entry;
  const step = { path: `/${path}`, file: path };
  const bytes = await bytesOf(join(root, path));
  if (!bytes) return undefined;
  if (isAsWritten(entry, bytes)) {
    if (!before) return { ...step, what: 'remove' };
    return { ...step, what: 'restore', content: Buffer.from(before.bytes, 'base64'), like: before };
  }
  if (before && Buffer.from(before.bytes, 'base64').equals(bytes)) return undefined;
  const changed = decoded(bytes, shared);
  const left = changed === undefined ? refused(CHANGED) : withoutShared(shared, { changed, ours });
  if (!left) return { ...step, what: 'remove' };
  // What was there before stays known.
  if ('refused' in left) return { ...step, what: 'stays', why: left.refused, entry };
  return { ...step, what: 'change', content: encoded(left.text, shared), like: await stat(join(root, path)) };
}

/** As it is now, or as it was until the last writing, which may not have come to it. */
function isAsWritten({ wrote, earlier }: RecordedFile, bytes: Uint8Array): boolean {
  const hash = contentHash(bytes);
  return hash === wrote || hash === earlier;
}

/** Lines of /etc/hosts are bytes. `undefined`: the file is no text. */
function decoded(bytes: Uint8Array, shared: SharedKind | undefined): string | undefined {
  const text = Buffer.from(bytes).toString(encodingOf(shared));
  return encoded(text, shared).equals(bytes) ? text : undefined;
}

function encoded(text: string, shared: SharedKind | undefined): Buffer {
  return Buffer.from(text, encodingOf(shared));
}

function encodingOf(shared: SharedKind | undefined): 'latin1' | 'utf8' {
  return shared === 'hosts' ? 'latin1' : 'utf8';
}

async function bytesOf(path: string): Promise<Uint8Array | undefined> {
  try {
    return await translatingFsErrors(path, () => readFile(path));
  } catch (error) {
    if (isFsError(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw error;
  }
}

async function keptOf(path: string, bytes: Uint8Array): Promise<Kept> {
  const { mode, uid, gid } = await stat(path);
  return { bytes: Buffer.from(bytes).toString('base64'), mode: mode & 0o7777, uid, gid };
}
