// Removes all containers and images of a Docker daemon, for `docker_flush`.
import { createLimiter } from '../../io/concurrency/limiter.ts';
import type { CallOptions } from '../../io/streams/bytes.ts';
import { type ImagesError, isImagesError } from '../../oci/errors.ts';
import type { DaemonContainer, DaemonImage, DockerDaemon } from './daemon.ts';

export type FlushEvent =
  | { readonly type: 'container-removed'; readonly id: string; readonly name: string }
  | { readonly type: 'image-removed'; readonly id: string; readonly tags: readonly string[] }
  | { readonly type: 'failed'; readonly what: 'container' | 'image'; readonly id: string; readonly error: ImagesError };

export interface FlushOptions extends CallOptions {
  readonly onEvent?: (event: FlushEvent) => void;
}

export interface FlushResult {
  readonly containers: number;
  readonly images: number;
  /** What could not be removed. Empty: the daemon holds neither containers nor images. */
  readonly failed: readonly { readonly id: string; readonly error: ImagesError }[];
}

const AT_A_TIME = 4;
/** Limit of rounds. An image is removed after those that are built on it; no image has more levels. */
const MOST_ROUNDS = 128;

/** Removes containers first, also running ones, with their anonymous volumes; then images with their tags. Errors: the daemon's, when listing. */
export async function flushDaemon(daemon: DockerDaemon, options: FlushOptions = {}): Promise<FlushResult> {
  const { onEvent, signal } = options;
  const call: CallOptions = signal ? { signal } : {};
  const containers = await removeAll<DaemonContainer>({
    list: () => daemon.listContainers(call),
    remove: ({ id }) => daemon.removeContainer(id, call),
    removed: ({ id, name }) => onEvent?.({ type: 'container-removed', id, name }),
    call,
  });
  const images = await removeAll<DaemonImage>({
    list: () => daemon.listImages({ ...call, all: true }),
    remove: ({ id }) => daemon.removeImage(id, { ...call, force: true }),
    removed: ({ id, tags }) => onEvent?.({ type: 'image-removed', id, tags }),
    call,
  });
  for (const { id, error } of containers.failed) onEvent?.({ type: 'failed', what: 'container', id, error });
  for (const { id, error } of images.failed) onEvent?.({ type: 'failed', what: 'image', id, error });
  return { containers: containers.count, images: images.count, failed: [...containers.failed, ...images.failed] };
}

interface Removal<T> {
  list(): Promise<readonly T[]>;
  remove(item: T): Promise<boolean>;
  removed(item: T): void;
  readonly call: CallOptions;
}

interface Removed {
  readonly count: number;
  readonly failed: readonly { readonly id: string; readonly error: ImagesError }[];
}

/** Repeats rounds as long as a round removes something. So what others depended on is removed, too, and what was added meanwhile. */
async function removeAll<T extends { readonly id: string }>({
  list,
  remove,
  removed,
  call,
}: Removal<T>): Promise<Removed> {
  const limit = createLimiter(AT_A_TIME);
  const gone = new Set<string>();
  let failed: { readonly id: string; readonly error: ImagesError }[] = [];
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const items = await list();
    failed = [];
    let progress = false;
    await limit.map(
      items,
      async (item) => {
        try {
          // The item does not exist any more: it was removed together with another one.
          await remove(item);
          progress = true;
          if (gone.has(item.id)) return;
          gone.add(item.id);
          removed(item);
        } catch (error) {
          call.signal?.throwIfAborted();
          if (!isImagesError(error, 'SERVER_ERROR')) throw error;
          failed.push({ id: item.id, error });
        }
      },
      call.signal,
    );
    if (items.length === 0 || !progress) break;
  }
  return { count: gone.size, failed };
}
