// Writes a layer as the overlay driver stores it unpacked: a new archive of its files under a directory of their own, and the tar-split from which the
// original archive can be restored; in one pass. Nothing is written outside of the directory.
import { decompressed } from '../io/compression/decompress.ts';
import type { Bytes, CallOptions } from '../io/streams/bytes.ts';
import { tapped } from '../io/streams/verify.ts';
import { addAll } from '../oci/add-all.ts';
import { type Digest, digestAlgorithm, digester } from '../oci/digest.ts';
import { ImagesError, isImagesError } from '../oci/errors.ts';
import type { TarEntry, TarHeader } from '../tar/entry.ts';
import { printableName } from '../tar/names.ts';
import { onlyHeader } from '../tar/plain-header.ts';
import { readTar } from '../tar/reader.ts';
import { type Refit, refitted, withWholeBlocks } from '../tar/sparse-pieces.ts';
import { padding, storedSize, tarHeader } from '../tar/writer.ts';
import type { IndexedEntry, Layer, LayerIndex } from './contract.ts';
import { crc64 } from './crc64.ts';
import { keptBytes } from './kept-bytes.ts';
import { inLayer } from './layer-index.ts';
import { linkedHeader } from './linked-header.ts';
import { lowerFile } from './lower-file.ts';
import { hardLink, impliedRoot, type OverlayOptions, overlayHeader, type RootDirectory } from './overlay-header.ts';
import { type OverlayShape, plainShape } from './overlay-shape.ts';
import { treeShape } from './overlay-tree.ts';
import { type Packer, packer } from './packer.ts';
import { cleanPath } from './path.ts';
import type { TarSplitWriter } from './tar-split-writer.ts';

export { NotPlain } from './overlay-shape.ts';

export interface OverlayFormOptions extends CallOptions, OverlayOptions {
  /** The layers below, from the base up. Hard links may lead there. */
  readonly below: readonly Layer[];
  /** Absent if the original archive need not be restored. */
  readonly split?: TarSplitWriter;
  /** The uncompressed archive, if it is being read already; by default the layer is opened. */
  readonly archive?: Bytes;
  /** With an index any layer can be written. Without one, NotPlain is thrown if something in the layer replaces something else. */
  readonly index?: LayerIndex;
  /** Changes what is written: `deviceShape`. */
  readonly reshape?: (shape: OverlayShape) => OverlayShape;
}

/** Facts about the layer, complete at the end. */
export interface OverlayFacts {
  /** Digest of the uncompressed archive. */
  readonly diffId: Digest;
  readonly size: number;
  /** Distinct owners, ascending. */
  readonly uids: readonly number[];
  readonly gids: readonly number[];
  /** The layer's root directory, or that of the layer below. */
  readonly root: RootDirectory;
}

/** In bytes. More than the padding of a tape record; the rest of the archive is held in memory. */
const MAX_TAIL = 64 << 20;
const MAX_ID = 2 ** 32 - 2;
const NO_SPLIT: TarSplitWriter = { raw() {}, file() {}, ready: () => undefined, async end() {}, abandon() {} };

/**
 * Yields what is to be written, in lists of chunks that belong together. The caller has to compare the digest in the facts.
 * Errors: TAR_INVALID (names outside of the root, links to nothing), COMPRESSION_INVALID, those of the transport; NotPlain.
 */
export async function* overlayForm(
  layer: Layer,
  options: OverlayFormOptions,
): AsyncGenerator<readonly Uint8Array[], OverlayFacts> {
  try {
    const own = options.index ? treeShape(options.index, options) : plainShape(options);
    const shape = options.reshape?.(own) ?? own;
    const facts = yield* streamed(layer, shape, options);
    yield* linkedFromBelow(shape, options);
    const out = packer();
    for (const { header } of shape.rest()) yield out.add(tarHeader(header));
    yield out.flush();
    await options.split?.end();
    return facts;
  } catch (error) {
    // A hard link through symbolic links in a circle. The layer is wrong, so PATH_UNKNOWN becomes TAR_INVALID.
    const isCircle = isImagesError(error, 'PATH_UNKNOWN');
    throw inLayer(layer, isCircle ? new ImagesError('TAR_INVALID', error.message, { cause: error }) : error);
  }
}

async function* streamed(
  layer: Layer,
  shape: OverlayShape,
  options: OverlayFormOptions,
): AsyncGenerator<readonly Uint8Array[], OverlayFacts> {
  const { split = NO_SPLIT } = options;
  const algorithm = layer.diffId ? digestAlgorithm(layer.diffId) : 'sha256';
  const hash = digester(algorithm);
  const kept = keptBytes();
  let size = 0;
  const archive = tapped(options.archive ?? decompressed(await layer.open(options)), (chunk) => {
    hash.update(chunk);
    kept.add(chunk);
    size += chunk.length;
  });
  const out = packer();
  const owners = { uids: new Set<number>(), gids: new Set<number>() };
  /** Offset up to which the tar-split describes the archive. */
  let told = 0;
  let end = 0;
  let tailLength = 0;
  let root: RootDirectory = impliedRoot(options);
  const tail = (bytes: Uint8Array): void => {
    tailLength += bytes.length;
    if (tailLength > MAX_TAIL) throw new ImagesError('TAR_INVALID', `more than [${MAX_TAIL}] bytes follow the archive`);
    split.raw(kept.take(told, end));
    told = Math.max(told, end) + bytes.length;
    end = told;
    kept.drop(told);
    split.raw(bytes);
  };
  for await (const entry of readTar(archive, { tail })) {
    const { body } = entry.position;
    split.raw(kept.take(told, body));
    owners.uids.add(owner(entry.uid));
    owners.gids.add(owner(entry.gid));
    const indexed: IndexedEntry = { ...onlyHeader(entry), path: cleanPath(entry.name), position: entry.position };
    if (indexed.path === '' && indexed.type === 'directory') root = indexed;
    const { headers, findable } = shape.add(indexed);
    const [first, ...others] = headers;
    const written = first && withWholeBlocks(first);
    const chunks: Uint8Array[] = written ? [...out.add(tarHeader(written))] : [];
    const length = storedSize(entry);
    const isWritten = written?.type === 'file';
    told = body + length;
    end = entry.position.end;
    if (length > 0) {
      const isFound = isWritten && findable;
      const way = { out, chunks, kept, split, isWritten, isFound: isFound && options.split !== undefined };
      const file = fileContent(entry, { ...way, refit: isWritten ? refitted(first as TarHeader, written) : undefined });
      const whole = entry.stored.whole();
      if (whole) file.add(whole);
      else yield* portions(entry, file, { chunks, split });
      file.end();
    } else if (findable && entry.size === 0) split.file(entry.name);
    if (isWritten) addAll(chunks, out.add(padding(storedSize(written))));
    for (const header of others) addAll(chunks, out.add(tarHeader(header)));
    if (chunks.length > 0) yield chunks;
    const waiting = split.ready();
    if (waiting) await waiting;
  }
  split.raw(kept.take(told, size));
  yield out.flush();
  const sorted = (numbers: ReadonlySet<number>) => [...numbers].sort((a, b) => a - b);
  const { uids, gids } = owners;
  return { diffId: `${algorithm}:${hash.digest('hex')}`, size, uids: sorted(uids), gids: sorted(gids), root };
}

/** Errors: TAR_INVALID for a number that no file can have, which would make the store's records unreadable. */
function owner(id: number): number {
  if (id >= 0 && id <= MAX_ID) return id;
  throw new ImagesError('TAR_INVALID', `not the number of an owner [${id}]`);
}

interface ContentWay {
  readonly out: Packer;
  /** Chunks before the content that have not been yielded yet. */
  readonly chunks: Uint8Array[];
  readonly kept: { drop(position: number): void };
  /** Absent if the original archive need not be restored. */
  readonly split: TarSplitWriter;
  readonly isWritten: boolean;
  readonly isFound: boolean;
  readonly refit: Refit | undefined;
}

interface FileContent {
  add(portion: Uint8Array): void;
  end(): void;
}

/** The stored bytes of a file. If no file will hold exactly these bytes, the tar-split includes them. */
function fileContent(
  entry: TarEntry,
  { out, chunks, kept, split, isWritten, isFound, refit }: ContentWay,
): FileContent {
  const sum = isFound && !entry.sparse ? crc64() : undefined;
  let position = entry.position.body;
  return {
    add(portion) {
      position += portion.length;
      kept.drop(position);
      if (sum) sum.update(portion);
      else split.raw(portion);
      if (!isWritten) return;
      for (const piece of refit ? refit(portion) : [portion]) addAll(chunks, out.add(piece));
    },
    end() {
      if (sum) split.file(entry.name, { size: entry.size, crc: sum.digest() });
    },
  };
}

/** For content that is not in memory. */
async function* portions(
  { stored }: TarEntry,
  file: FileContent,
  { chunks, split }: Pick<ContentWay, 'chunks' | 'split'>,
): AsyncGenerator<readonly Uint8Array[]> {
  for await (const portion of stored) {
    file.add(portion);
    if (chunks.length === 0) continue;
    yield chunks.splice(0);
    const waiting = split.ready();
    if (waiting) await waiting;
  }
}

/** A hard link to a file of a lower layer: a copy of the file; the link's other names become links to the copy. */
async function* linkedFromBelow(
  { lowerLinks }: OverlayShape,
  options: OverlayFormOptions,
): AsyncGenerator<readonly Uint8Array[]> {
  const said = new Map<string, TarHeader>();
  for (const { target, header } of lowerLinks) {
    const before = said.get(target);
    said.set(target, before ? linkedHeader(before, header) : header);
  }
  const first = new Map<string, string>();
  for (const { paths, target, header } of lowerLinks) {
    const known = first.get(target);
    const [own = '', ...others] = paths;
    if (known !== undefined) {
      yield paths.map((path) => tarHeader(hardLink(path, known, options, header)));
      continue;
    }
    const found = await lowerFile(options.below, target, options);
    if (!found) {
      const what = `${printableName(own)} → ${printableName(target)}`;
      throw new ImagesError('TAR_INVALID', `a hard link to a file that is not there [${what}]`);
    }
    first.set(target, own);
    yield [tarHeader(overlayHeader(linkedHeader(found.header, said.get(target) as TarHeader), own, options))];
    for await (const chunk of found.content) yield [chunk];
    yield [padding(found.header.size), ...others.map((path) => tarHeader(hardLink(path, own, options, header)))];
  }
}
