// Images into containerd on several nodes: each node is asked what it has, and is sent what it lacks: from files of this machine as a stream; what has to be fetched
// is put into one archive first, which all get that lack something.
import { open } from 'node:fs/promises';
import type { OnCopyEvent } from '../../copy/events.ts';
import { createLimiter } from '../../io/concurrency/limiter.ts';
import { readFileBytes } from '../../io/files/file-bytes.ts';
import type { Bytes } from '../../io/streams/bytes.ts';
import { ImagesError, isImagesError } from '../../oci/errors.ts';
import { formatPlatform, type Platform } from '../../oci/platform.ts';
import { type FullReference, formatReference } from '../../oci/reference.ts';
import { type ImageToStream, ociArchiveStream } from '../../transports/archive/oci-archive-stream.ts';
import { callOptions, type Settings } from '../settings.ts';
import { type ImageNode, type NodeState, nodeState } from './image-node.ts';
import { importArchive } from './import-archive.ts';
import { archiveAnnotations, makeArchive } from './make-archive.ts';
import type { MakeItem } from './make-items.ts';
import { openImages, type StoreEntry, type StoreOptions } from './prepulled-store.ts';
import { withTemporaryFile } from './temporary-archive.ts';

export interface LoadedNode {
  readonly node: string;
  /** As `linux/amd64`; absent if the node could not be asked. */
  readonly platform?: string;
  /** The names of images that it got. */
  readonly loaded: readonly string[];
  /** Those that it had, with the same digest. */
  readonly alreadyThere: readonly string[];
  /** Why it did not get them. Others did. */
  readonly error?: ImagesError;
}

export interface LoadEvents {
  /** Of the archive, if one is made first. */
  readonly onEvent?: OnCopyEvent;
  /** Images are being sent to the node. */
  readonly onSending?: (node: string, images: number) => void;
  /** In the order in which the nodes are ready. */
  readonly onNode?: (node: LoadedNode) => void;
}

/** Nodes that are asked, or sent to, at a time: each unpacks what it gets, most often on the same disk. */
const AT_A_TIME = 4;

interface Asked {
  readonly node: ImageNode;
  readonly state: NodeState;
}

/** A node that fails is in the result; what fails for all is thrown. Errors: those of `openImages` and `makeArchive`; USAGE (an image without a name). */
export async function loadNodes(
  items: readonly MakeItem[],
  nodes: readonly ImageNode[],
  settings: Settings,
  events: LoadEvents,
): Promise<readonly LoadedNode[]> {
  const limiter = createLimiter(AT_A_TIME);
  const done = new Map<string, LoadedNode>();
  const tell = (loaded: LoadedNode): void => {
    done.set(loaded.node, loaded);
    events.onNode?.(loaded);
  };
  const fail = ({ name }: ImageNode, error: unknown, platform?: Platform): void => {
    if (!isImagesError(error) || settings.signal?.aborted) throw error;
    tell({ node: name, ...(platform && { platform: formatPlatform(platform) }), loaded: [], alreadyThere: [], error });
  };

  const byPlatform = new Map<string, Asked[]>();
  const ask = async (node: ImageNode): Promise<void> => {
    try {
      const state = await nodeState(node, settings);
      const key = formatPlatform(state.platform);
      byPlatform.set(key, [...(byPlatform.get(key) ?? []), { node, state }]);
    } catch (error) {
      fail(node, error);
    }
  };
  await limiter.map(nodes, ask, settings.signal);

  for (const [platform, asked] of byPlatform) {
    try {
      await loadGroup(items, asked, settings, { ...events, limiter, platform, tell, fail });
    } catch (error) {
      // What is wrong for one platform need not be for another.
      if (byPlatform.size === 1) throw error;
      for (const { node, state } of asked) if (!done.has(node.name)) fail(node, error, state.platform);
    }
  }
  return nodes.flatMap(({ name }) => done.get(name) ?? []);
}

interface GroupOptions extends LoadEvents {
  readonly limiter: ReturnType<typeof createLimiter>;
  readonly platform: string;
  readonly tell: (loaded: LoadedNode) => void;
  readonly fail: (node: ImageNode, error: unknown, platform: Platform) => void;
}

/** Nodes of one platform. */
async function loadGroup(
  items: readonly MakeItem[],
  asked: readonly Asked[],
  settings: Settings,
  { onEvent, onSending, limiter, platform: text, tell, fail }: GroupOptions,
): Promise<void> {
  const [first] = asked;
  if (!first) return;
  const options: StoreOptions = { platform: first.state.platform, ...(onEvent && { onEvent }) };
  await using opened = await openImages(items, settings, options);
  const images = opened.images.map(requireName);
  const plans = asked.map((one) => ({ ...one, lacking: images.filter((image) => !hasImage(one.state, image)) }));
  const names = (some: readonly NamedEntry[]) => some.map(({ name }) => formatReference(name));
  for (const { node, lacking } of plans) {
    if (lacking.length === 0) tell({ node: node.name, platform: text, loaded: [], alreadyThere: names(images) });
  }
  const sending = plans.filter(({ lacking }) => lacking.length > 0);
  if (sending.length === 0) return;
  /** A broken source is no node's fault. */
  const broken = new Set<unknown>();
  const sendAll = async (archiveOf: (lacking: readonly NamedEntry[]) => Bytes): Promise<void> => {
    const send = async ({ node, state, lacking }: (typeof sending)[number]): Promise<void> => {
      onSending?.(node.name, lacking.length);
      try {
        const archive = watched(archiveOf(lacking), (error) => broken.add(error));
        await importArchive(archive, node, settings, state.snapshotter);
      } catch (error) {
        if (broken.has(error)) throw error;
        return fail(node, error, state.platform);
      }
      const there = images.filter((image) => !lacking.includes(image));
      tell({ node: node.name, platform: text, loaded: names(lacking), alreadyThere: names(there) });
    };
    await limiter.map(sending, send, settings.signal);
  };

  const wanted = images.filter((image) => sending.some(({ lacking }) => lacking.includes(image)));
  if (wanted.every(isHere)) {
    await sendAll((lacking) => ociArchiveStream(lacking.map(streamed), callOptions(settings)));
    return;
  }
  await withTemporaryFile(settings.temporaryDirectory, async (file) => {
    await makeArchive(wanted, { format: 'oci-archive', path: file, onePlatform: true }, settings, options);
    await sendAll(() => bytesOfFile(file));
  });
}

/** Whether all its bytes are on this machine, in files: what comes from elsewhere is fetched in parallel, and once for all nodes. */
function isHere({ source }: NamedEntry): boolean {
  return source.host === '' || source.unverified !== undefined;
}

function streamed({ name, image, source }: NamedEntry): ImageToStream {
  return { name, manifest: image.raw, source, annotations: archiveAnnotations(name) };
}

async function* watched(bytes: Bytes, onFailure: (error: unknown) => void): AsyncGenerator<Uint8Array> {
  try {
    yield* bytes;
  } catch (error) {
    onFailure(error);
    throw error;
  }
}

async function* bytesOfFile(path: string): AsyncGenerator<Uint8Array> {
  const handle = await open(path);
  try {
    yield* await readFileBytes(handle, {});
  } finally {
    await handle.close();
  }
}

type NamedEntry = StoreEntry & { readonly name: FullReference };

/** Without a name nothing on the node would find it. Errors: USAGE. */
export function requireName(entry: StoreEntry): NamedEntry {
  const { name, text } = entry;
  if (name) return { ...entry, name };
  throw new ImagesError('USAGE', `the image has no name [${text}]`, {
    hint: 'Name it by its reference, or by a location that says its name.',
  });
}

/** A node that has pulled the image has the digest of its index, one that was given it that of the image for its platform. */
function hasImage({ images }: NodeState, { name, image }: NamedEntry): boolean {
  const there = images.get(formatReference(name));
  return there !== undefined && (there === image.raw.digest || there === image.root.digest);
}
